"""What cures are said to have come to is what the benchmark's long training found."""

from collections import Counter
from dataclasses import fields

from benchmarks.fault_labels import changes, read_labels
from benchmarks.fault_set import SEEDED, Case
from keras_cnn.diagnosis.suggestions import MEASURED


def test_measured_effects_are_those_of_the_labels():
    tried, succeeded = Counter(), Counter()
    for row in read_labels():
        if row["verdict"] == "dead" and row["fault"] not in SEEDED:
            case = Case(**{field.name: row[field.name] for field in fields(Case)})
            for change in changes(case):
                name = f"{change}, sigmoid" if case.activation == "sigmoid" else change
                tried[name] += 1
                succeeded[name] += change in row["cured_by"]
    for change in ("batch_normalization", "skip_connections"):  # told of all activations together
        tried[change] += tried[f"{change}, sigmoid"]
        succeeded[change] += succeeded[f"{change}, sigmoid"]
    assert {name: (succeeded[name], tried[name]) for name in MEASURED} == MEASURED
