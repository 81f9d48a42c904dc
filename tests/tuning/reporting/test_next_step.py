"""What to do next with a study, in one line."""

import pytest

from keras_cnn.records import write_record
from tests.report_studies import EPOCHS, made_study, write_trial
from tuning.config import StudyConfig
from tuning.reporting.next_step import next_step
from tuning.reporting.trial_data import TrialData
from tuning.storage.trials import trials


def step_of(study: StudyConfig) -> str:
    return next_step(TrialData(study, trials(study)))


def with_results(study: StudyConfig, *results: dict) -> StudyConfig:
    common = {"loss": 1.0, "best_epoch": 1, "parameters": 1}
    middle = {"optimizer": "sgd", "learning_rate_sgd": 0.01, "units": 32, "deep": True}
    for number, result in enumerate(results):
        write_trial(study, number, middle | result.pop("hyperparameters", {}), common | result)
    return study


@pytest.fixture
def study(tmp_path) -> StudyConfig:
    return made_study(tmp_path / "study", 1)


def test_next_step_of_a_best_last_epoch_is_longer_training(study):
    text = step_of(with_results(study, {"score": 0.9, "best_epoch": EPOCHS}, {"score": 0.5}))
    assert "is its last, 5: longer training may score better" in text and "epochs=10" in text


def test_next_step_compares_the_best_epoch_with_those_of_its_own_trial(study):
    with_results(study, {"score": 0.9, "best_epoch": EPOCHS}, {"score": 0.5})
    rows = trials(study)
    assert "is its last, 5" in next_step(TrialData(study, [{**rows[0], "epochs": EPOCHS}, *rows[1:]]))
    assert "last" not in next_step(TrialData(study, [{**rows[0], "epochs": 6 * EPOCHS}, *rows[1:]]))


def test_next_step_of_a_value_at_the_end_of_its_range_is_a_wider_range(study):
    text = step_of(with_results(study, {"score": 0.9, "hyperparameters": {"units": 64}}, {"score": 0.5}))
    assert text.startswith(
        "The best trial has units 64 at the end of its range (64): widen the range in build(hp)"
    )


def test_next_step_of_ties_is_repeats(study):
    text = step_of(with_results(study, {"score": 0.9}, {"score": 0.89}, {"score": 0.2}))
    assert (
        text.startswith("2 trials are within one standard error (0.0251) of the best") and "repeats=3" in text
    )


def test_next_step_of_a_clear_winner_is_its_test_and_then_all_images(study):
    with_results(study, {"score": 0.9}, {"score": 0.5})
    assert step_of(study) == (
        f"The best trial has not been tested: tuning.Study({str(study.directory)!r}, build).export() measures "
        "it on the test split once, and exports it."
    )
    test = {"accuracy": 0.88, "accuracy_interval": [0.8, 0.95], "images": 100, "loss": 0.5}
    write_record(study.trial_directory("0000") / "test.json", test)
    assert step_of(study).endswith(
        "export(refit=True) trains the best configuration on training and validation images together."
    )


def test_next_step_of_a_study_without_trials_is_to_continue(study):
    assert next_step(TrialData(study, [])).startswith("No trial has begun: continue with tuning.Study(")
