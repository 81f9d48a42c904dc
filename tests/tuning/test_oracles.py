"""The oracles, driven without training: they write whole files, resume where they stood, and count seed 0."""

from dataclasses import replace

import pytest

from keras_cnn.data.facts import DataFacts
from keras_cnn.training.settings import TrainSettings
from tuning.oracles import make_oracle
from tuning.settings import TUNERS, SearchSettings, Study

FACTS = DataFacts("x", (32, 32, 3), ("a", "b"), {"train": [50, 50]}, (1.0,) * 3, (1.0,) * 3)


def study_in(directory, tuner, seed=0, trials=8) -> Study:
    search = SearchSettings(tuner=tuner, trials=None if tuner == "hyperband" else trials)
    return Study(directory, search, TrainSettings(epochs=4, seed=seed), {"learning_rate": 0.1}, FACTS)


def run(oracle, most: int | None = None) -> list[dict]:
    """Run up to `most` trials with scores that follow from their values; returns the values."""
    points = []
    while most is None or len(points) < most:
        trial = oracle.create_trial("t")
        if trial.status != "RUNNING":
            break
        values = trial.hyperparameters.values
        score = values["options.blocks"] * 0.1 + values["dropout"] + 0.01 * values.get("tuner/epochs", 1)
        oracle.update_trial(trial.trial_id, {"val_accuracy": score})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
        points.append(values)
    return points


@pytest.mark.parametrize("tuner", ["random", "grid", "hyperband"])
def test_interrupted_anywhere_the_points_are_those_of_an_uninterrupted_search(tuner, tmp_path):
    whole = run(make_oracle(study_in(tmp_path / "whole", tuner)))
    assert len(whole) >= 8
    for stop in (0, 1, 5):
        study = study_in(tmp_path / f"stopped-{stop}", tuner)
        begun = run(make_oracle(study), most=stop)
        interrupted = make_oracle(study).create_trial("t")  # a kill in mid-trial: never ended
        rest = run(make_oracle(study))
        assert rest[0] == interrupted.hyperparameters.values
        assert begun + rest == whole


@pytest.mark.parametrize("tuner", TUNERS)
def test_a_trial_that_only_its_own_file_knows_is_run_again(tuner, tmp_path):
    """The kill fell between the writing of trial.json and of oracle.json."""
    study = study_in(tmp_path, tuner)
    run(make_oracle(study), most=2)
    state = tmp_path / "keras_tuner" / "oracle.json"
    before = state.read_bytes()
    trial = make_oracle(study).create_trial("t")
    state.write_bytes(before)
    oracle = make_oracle(study)
    assert oracle.create_trial("t").trial_id == trial.trial_id


@pytest.mark.parametrize("tuner", ["random", "hyperband"])
def test_seed_zero_is_a_seed(tuner, tmp_path):
    first, again, other = (
        run(make_oracle(study_in(tmp_path / name, tuner, seed)), most=3)
        for name, seed in (("first", 0), ("again", 0), ("other", 1))
    )
    assert first == again != other


def test_more_trials_may_be_asked_for_later(tmp_path):
    study = study_in(tmp_path, "random", trials=3)
    assert len(run(make_oracle(study))) == 3
    more = replace(study, search=replace(study.search, trials=5))
    assert len(run(make_oracle(more))) == 2


def test_no_file_is_left_half_written(tmp_path):
    run(make_oracle(study_in(tmp_path, "random")))
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
