"""python -m benchmarks.search_race [--images 10000] [--rounds 3] [--parts 10 5]: a search against KerasTuner's.

KerasTuner's Hyperband, as its guides write it, searches a plain Keras model on a part of CIFAR-10, a quarter of which
validates; then `tuning.search` of `vgg` with the tuner `auto` gets a tenth and a fifth of the seconds that took. Each
search is a process of its own; its time counts from the start of Python to the end of the search, imports included,
and the model that it hands over is measured on the test split afterwards. Rounds alternate, with seeds 0, 1, ....
TFDS_DATA_DIR is where cifar10 is. Writes results/search_race.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from benchmarks.result_files import result_options, write_result
from keras_cnn.records import read_json

MAX_EPOCHS = 9


def build(hp):
    """A model as in KerasTuner's guides: constant rate, Adam, batch normalization and dropout as choices."""
    import keras

    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255)])
    filters, normalized = hp.Choice("filters", [16, 32]), hp.Boolean("batch_norm")
    for block in range(hp.Int("blocks", 2, 4)):
        model.add(keras.layers.Conv2D(filters * 2**block, 3, padding="same"))
        if normalized:
            model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.ReLU())
        model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.1)))
    model.add(keras.layers.Dense(hp.Choice("units", [64, 128, 256]), activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def write_arrays(path: Path, images: int) -> None:
    """Decode CIFAR-10 once, for all processes."""
    from keras_cnn import load

    whole = load("cifar10")
    test = whole.load_test()
    np.savez(
        path,
        images=whole.train.images[:images],
        labels=whole.train.labels[:images],
        test_images=test.images,
        test_labels=test.labels,
    )


def arrays(path: Path) -> tuple:
    """(training arrays, validation arrays, test arrays)."""
    with np.load(path) as saved:
        x, y = saved["images"], saved["labels"]
        first = len(x) * 3 // 4
        return (x[:first], y[:first]), (x[first:], y[first:]), (saved["test_images"], saved["test_labels"])


def stock(folder: Path, path: Path, seed: int) -> tuple[float, float]:
    """(validation accuracy of the best trial, seconds for what `contest` does not count); writes model.keras."""
    import keras
    import keras_tuner

    keras.utils.set_random_seed(seed)
    train, validation, _ = arrays(path)
    tuner = keras_tuner.Hyperband(
        build, objective="val_accuracy", max_epochs=MAX_EPOCHS, factor=3, seed=seed + 1, directory=str(folder)
    )
    tuner.search(*train, validation_data=validation, batch_size=64, verbose=0)
    best = tuner.oracle.get_best_trials()[0].score
    ended = time.monotonic()
    tuner.get_best_models()[0].save(folder / "model.keras")
    return best, time.monotonic() - ended


def auto(folder: Path, path: Path, seed: int, *, seconds: float) -> tuple[float, float]:
    """The same of `auto`, in at most so many seconds."""
    import tuning

    passed = time.time() - psutil.Process().create_time()  # imports so far
    study = tuning.search(
        "vgg", arrays(path), time=f"{seconds - passed:.0f}s", seed=seed, directory=folder / "study"
    )
    ended = time.monotonic()
    study.best_model().save(folder / "model.keras")
    return study.best.score, time.monotonic() - ended


def contest(options) -> None:
    """Run one search in this process; prints its validation accuracy and the seconds that do not count."""
    kind, seed, seconds, folder, path = options.child
    search = stock if kind == "stock" else partial(auto, seconds=float(seconds))
    print(json.dumps(search(Path(folder), Path(path), int(seed))))


def measured(kind: str, seed: int, seconds: float, path: Path) -> dict:
    """One search in a process of its own, and the test accuracy of the model that it hands over."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.search_race"]
        command += ["--child", kind, str(seed), str(seconds), folder, str(path)]
        started = time.monotonic()
        answer = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
        )
        passed = time.monotonic() - started
        validation, uncounted = json.loads(answer.stdout.splitlines()[-1])
        row = {"kind": kind, "seed": seed, "allowed_seconds": seconds, "seconds": passed - uncounted}
        row |= {"val_accuracy": validation, "test_accuracy": test_accuracy(Path(folder), path)}
    print(row, flush=True)
    return row


def test_accuracy(folder: Path, path: Path) -> float:
    """Of model.keras, on the whole test split of CIFAR-10."""
    import keras

    import keras_cnn.models.layers  # noqa: F401 (registers what the file holds)

    x, y = arrays(path)[2]
    model = keras.models.load_model(folder / "model.keras", compile=False)
    return float((model.predict(x, batch_size=256, verbose=0).argmax(-1) == y).mean())


def main(options) -> None:
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npz"
        write_arrays(path, options.images)
        known = read_json(options.rival)["rows"] if options.rival else []
        for seed in range(options.rounds):
            earlier = (row for row in known if (row["kind"], row["seed"]) == ("stock", seed))
            rival = next(earlier, None) or measured("stock", seed, 0.0, path)
            rows.append(rival)
            for part in options.parts:
                rows.append(measured(f"auto, 1/{part}", seed, rival["seconds"] / part, path))
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    medians = {
        kind: {
            name: statistics.median(row[name] for row in rows if row["kind"] == kind)
            for name in ("seconds", "val_accuracy", "test_accuracy")
        }
        for kind in kinds
    }
    write_result("search_race", {"images": options.images, "rows": rows, "medians": medians})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--parts", type=int, nargs="+", default=[10, 5], help="auto gets the time divided by each"
    )
    parser.add_argument(
        "--rival", type=Path, help="an earlier result file, whose searches by KerasTuner count again"
    )
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    contest(options) if options.child else main(options)
