"""A trial in folds: each is a run of its own, and the score is their mean."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.data.sources import load
from keras_cnn.records import read_record
from keras_cnn.training.config import TrainSettings
from keras_cnn.training_run import TrainingRun
from tests.tuning import own_search
from tuning.config import StudyConfig
from tuning.executors import inputs, trial
from tuning.search_settings import SearchSettings
from tuning.storage.recovery import repair_damaged_files
from tuning.storage.trials import run_directory, trials
from tuning.trial import TrialSpec

DATA = load(own_search.images(), validation_split=0.3)


class Killed(BaseException):
    """No trial takes it for its own failure."""


@pytest.fixture
def make_study(monkeypatch):
    """A function: writes a study of one trial in folds."""
    monkeypatch.setattr(inputs, "_current", inputs.Inputs(own_search.build, DATA))

    def make(directory, folds: int) -> StudyConfig:
        base = TrainSettings(data="arrays", architecture="own model build", epochs=2, batch_size=32, seed=4)
        base = base.resolved(DATA.facts)
        study = StudyConfig(directory, SearchSettings("random", folds=folds), base, {}, DATA.facts, space={})
        study.write()
        values = {"units": 4, "deep": True}
        spec = TrialSpec(
            base, 2, hyperparameters=values, takes_hyperparameters=True, folds=folds, logs="logs"
        )
        spec.write(directory / "trials/0000")
        return study

    return make


def run(study: StudyConfig, report=lambda epoch, logs: None) -> dict:
    return trial.run_trial(study.trial_directory("0000"), tf.distribute.get_strategy(), report)


@pytest.mark.slow
def test_trial_in_folds_is_resumed_in_the_fold_where_it_was_killed_and_repaired(make_study, tmp_path):
    epochs = []

    def kill(epoch, logs):
        epochs.append(epoch)
        if len(epochs) == 3:
            raise Killed

    whole, killed = make_study(tmp_path / "whole", 3), make_study(tmp_path / "killed", 3)
    expected = run(whole)
    with pytest.raises(Killed):
        run(killed, kill)
    found = run(killed, lambda epoch, logs: epochs.append(epoch))
    assert epochs == [1, 2, 1, 2, 1, 2]
    for name in ("scores", "interval", "score", "run", "history"):
        assert found[name] == expected[name]

    folders = [tmp_path / f"whole/trials/0000/fold_{number}" for number in (1, 2, 3)]
    scores = [read_record(folder / "metrics.json")["score"] for folder in folders]
    assert expected["scores"] == scores and expected["score"] == pytest.approx(np.mean(scores))
    facts = [json.loads((folder / "run.json").read_text())["facts"] for folder in folders]
    assert [fact["fold"] for fact in facts] == [[1, 3], [2, 3], [3, 3]]
    assert len({tuple(fact["mean"]) for fact in facts}) == 3
    assert (
        sum(sum(fact["counts"]["validation"]) for fact in facts) == 160
    )  # every image but those of the test split

    best = run_directory(whole, trials(whole)[0])
    assert best.name == expected["run"] and TrainingRun(best, own_search.images()).test()["images"] == 40
    assert not [folder for folder in folders if folder != best and (folder / "test.json").exists()]

    shutil.copy(tmp_path / "whole/trials/0000/fold_1/metrics.json", folders[1] / "metrics.json")
    (folders[1] / "metrics.json").write_text("torn")
    assert any("fold_2/metrics.json" in note for note in repair_damaged_files(whole))
    assert run(whole)["scores"] == scores
