"""Record what the diagnosis sees of the networks of the fault set: checks, the first batch, and a probe run.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.probe_traces [--part 0 --parts 2] [--limit 200]

Rows are appended to --rows, one line per network in a fixed random order, and an interrupted run continues.
`benchmarks.learning_probability` fits the probability that a network learns to them. About 15 s a network on one
processor.
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np

ROWS = Path(__file__).with_name("probe_traces.jsonl.gz")
ENOUGH_SCORE = 0.25  # a run ends there


def main(options: argparse.Namespace) -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    from benchmarks.fault_labels import read_labels
    from benchmarks.fault_set import cases
    from keras_cnn.training.strategy import limit_threads

    limit_threads(1)
    path = Path(options.rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {row["number"] for row in read_rows(path)} if path.exists() else set()
    labels = {row["number"]: row["verdict"] for row in read_labels()}
    order = np.random.default_rng(0).permutation(len(labels))[options.part :: options.parts]
    for case in [cases()[number] for number in order[: options.limit]]:
        if case.number not in done and labels[case.number] != "undecided":
            row = record(case) | {"label": labels[case.number]}
            with path.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(
                row["number"],
                row["family"],
                row["fault"],
                row["label"],
                f"{row['own']['scores'][-1]:.3f}",
                flush=True,
            )


def record(case) -> dict:
    """Findings of the checks, signals of one batch, and a run at the configured learning rate."""
    from benchmarks.fault_set import build, data
    from keras_cnn.diagnosis.checks.static import static_findings
    from keras_cnn.diagnosis.diagnose import MAX_IMAGES
    from keras_cnn.diagnosis.graph.layer_signals import measure_signals
    from keras_cnn.diagnosis.probe.baseline import linear_baseline_score
    from keras_cnn.diagnosis.probe.data import sample_of
    from keras_cnn.diagnosis.probe.objective import objective_of
    from keras_cnn.diagnosis.probe.probability import STEPS
    from keras_cnn.diagnosis.probe.probe import Probe

    model, sample = build(case), sample_of(data(case)[:2], MAX_IMAGES)
    objective = objective_of(model, sample)
    signals = measure_signals(model, sample, objective)
    own = Probe(model, sample, objective).run(objective.rate, STEPS[-1], ENOUGH_SCORE)
    return {
        **{name: getattr(case, name) for name in ("number", "family", "data", "fault", "optimizer", "rate")},
        "findings": [finding.name for finding in static_findings(model)],
        "chance": objective.chance,
        "linear": linear_baseline_score(sample, objective.shape[-1]),
        "logit_std": signals.logit_std,
        "finite": signals.finite,
        "layers": [_layer(layer) for layer in signals.kernels],
        "own": _run(own),
    }


def _layer(signal) -> dict:
    names = ("variance", "std_over_images", "dead", "saturated", "correlation", "gradient", "weight")
    return {name: _short(getattr(signal, name)) for name in names}


def _run(trace) -> dict:
    found = {
        name: [_short(one) for one in getattr(trace, name)] for name in ("held_out", "logit_stds", "scores")
    }
    return found | {"losses": [_short(one) for one in trace.losses[::4]]}


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")


def read_rows(path: Path = ROWS) -> list[dict]:
    """The rows of a file, compressed or not."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return [json.loads(line) for line in text.splitlines()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--rows", default="runs/probe_traces.jsonl")
    main(parser.parse_args())
