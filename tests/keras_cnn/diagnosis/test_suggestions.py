"""The measured effects of suggestions equal those in benchmarks/fault_labels.jsonl."""

import json
from collections import Counter
from pathlib import Path

from keras_cnn.diagnosis.suggestions import MEASURED

LABELS = Path(__file__).parents[3] / "benchmarks/fault_labels.jsonl"


def changes(row: dict) -> list[str]:
    """The single changes that were tried on the network: those that alter it."""
    best = "glorot_uniform" if row["activation"] in ("tanh", "sigmoid") else "he_normal"
    alters = {
        "batch_normalization": not row["batch_norm"],
        "initializer": row["initializer"] != best,
        "activation": row["activation"] != "relu",
        "skip_connections": not row["skip"],
    }
    return [name for name, altered in alters.items() if altered]


def test_measured_equals_benchmark_labels():
    tried, learned = Counter(), Counter()
    for row in map(json.loads, LABELS.read_text().splitlines()):
        # the change for other seeded faults is the network without the fault
        if row["verdict"] == "dead" and row["fault"] in ("", "deep_sigmoid"):
            for change in changes(row):
                name = f"{change}, sigmoid" if row["activation"] == "sigmoid" else change
                tried[name] += 1
                learned[name] += change in row["cured_by"]
    for change in ("batch_normalization", "skip_connections"):  # counted over all activations
        tried[change] += tried[f"{change}, sigmoid"]
        learned[change] += learned[f"{change}, sigmoid"]
    assert {name: (learned[name], tried[name]) for name in MEASURED} == MEASURED
