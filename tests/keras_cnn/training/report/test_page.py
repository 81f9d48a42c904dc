"""How findings come into the report of a run."""

from dataclasses import replace

import pytest

from keras_cnn.training.config import TrainSettings
from keras_cnn.training.report.page import _how_to_find
from keras_cnn.training.run_directory import Run


@pytest.mark.parametrize(
    ("source", "task", "expected"),
    [
        (
            "digits",
            "classification",
            "After keras-cnn diagnose '{}' --directory '{}'/diagnosis, or the callback",
        ),
        ("arrays", "classification", "keras_cnn.TrainingRun('{}', data).report() shows"),
        ("labels:x", "regression", "in training, keras-cnn report '{}' shows"),
    ],
)
def test_hint_names_what_this_run_can_do(data, tmp_path, source, task, expected):
    run = Run(tmp_path / "a run", TrainSettings(data=source), replace(data.facts, task=task))
    hint = _how_to_find(run)
    assert expected.format(run.directory, run.directory) in hint
    assert ("keras-cnn diagnose" in hint) == (source == "digits")
