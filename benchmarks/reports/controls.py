"""Control trainings of reports: `python -m benchmarks.reports.controls [NAME ...] [--seeds 0 1] [--epochs 3]`.

Each reported net is trained as often as its correction.
Accuracies are balanced (mean recall of the classes) and of images that were not trained on. Writes
results/reports_controls.json after each report, and keeps there what other seeds and reports came to.
"""

import argparse
import time

import keras
import numpy as np
from tensorflow import errors

from benchmarks.reports.__main__ import REPORTS
from benchmarks.reports.report import Report
from benchmarks.result_files import FOLDER, read_result, result_options, write_result

NAME = "reports_controls"
HELD_OUT_SHARE = 0.2


def balanced_accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Mean recall of the classes among the labels."""
    if outputs.shape[-1] > 1 and labels.shape == outputs.shape:
        labels = labels.argmax(-1)
    guesses = outputs.argmax(-1) if outputs.shape[-1] > 1 else outputs[..., 0] > 0.5
    labels = labels.reshape(guesses.shape)
    values = np.unique(labels)
    if len(values) <= 2 and values[0] == 0:  # masks of 0 and 255, too
        labels = labels > 0
    finite = np.isfinite(outputs).all(-1)
    recalls = [(finite & (guesses == value))[labels == value].mean() for value in np.unique(labels)]
    return float(np.mean(recalls))


def train(report: Report, fixed: bool, seed: int, epochs: int, batch_size: int) -> float | None:
    """Trains a net on 80 % of its data, and measures it on the rest; None if the training ends in an error."""
    keras.utils.set_random_seed(seed)
    model, (x, y) = (report.fixed if fixed else report.broken)()
    truth = np.asarray(y)
    if truth.min() == truth.max():  # the mistake has removed all other labels
        truth = np.asarray(report.fixed()[1][1])
    order = np.random.default_rng(seed).permutation(len(x))
    held_out = int(len(x) * HELD_OUT_SHARE)
    test, rest = order[:held_out], order[held_out:]
    try:
        model.fit(x[rest], y[rest], epochs=epochs, batch_size=batch_size, verbose=0)
    except errors.InvalidArgumentError:  # labels out of range, on a CPU
        return None
    return round(balanced_accuracy(model.predict(x[test], verbose=0), truth[test]), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    results = read_result(NAME)["trainings"] if (FOLDER / f"{NAME}.json").exists() else {}
    for name in options.names or [name for name, report in REPORTS.items() if report.source]:
        started = time.perf_counter()
        report = REPORTS[name]
        settings = {"set": report.set_name, "epochs": options.epochs}
        settings["batch_size"] = options.batch_size
        row = results.get(name, {})
        if not settings.items() <= row.items():
            row = settings | {"seeds": [], "broken": [], "fixed": []}
        for seed in [seed for seed in options.seeds if seed not in row["seeds"]]:
            row["seeds"].append(seed)
            for kind in ("broken", "fixed"):
                row[kind].append(train(report, kind == "fixed", seed, options.epochs, options.batch_size))
        results[name] = row
        write_result(NAME, {"trainings": dict(sorted(results.items()))})
        seconds = time.perf_counter() - started
        print(f"{name:44} broken {row['broken']} fixed {row['fixed']} {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
