"""The best configuration, trained on the training and validation images together."""

from dataclasses import replace
from pathlib import Path

import pytest

import tuning
from keras_cnn.errors import InputError
from keras_cnn.records import read_json, read_record, write_record
from keras_cnn.training.config import TrainSettings
from tests.tuning.own_search import build, images
from tests.tuning_studies import digits_facts
from tuning.config import StudyConfig
from tuning.executors.base import ENDED, EPOCH, Event
from tuning.refit import refit
from tuning.search_settings import SearchSettings
from tuning.trial import TrialSpec, read_trial


@pytest.fixture
def study(tmp_path) -> StudyConfig:
    """A study of one trial in three folds, whose best epochs are 2, 5 and 6."""
    facts = digits_facts()
    base = TrainSettings(epochs=8, patience=2).resolved(facts)
    study = StudyConfig(tmp_path, SearchSettings("random", folds=3), base, {}, facts)
    study.write()
    TrialSpec(replace(base, seed=9), 8, folds=3, max_macs=10**9).write(study.trial_directory("0000"))
    metrics = {"state": "COMPLETED", "score": 0.9, "loss": 0.3, "best_epoch": 5, "best_epochs": [2, 5, 6]}
    metrics |= {"parameters": 1, "seconds": 1.0, "interval": [0.8, 1.0], "run": "fold_2"}
    write_record(study.trial_directory("0000") / "metrics.json", metrics)
    return study


class Trainer:
    """An executor of one trial: each attempt ends as one of `ends` says, None for well."""

    def __init__(self, *ends: dict | None):
        self.ends, self.specs = list(ends), []

    def start(self, trial_id: str, directory: Path, timeout: float) -> None:
        self.specs.append(read_trial(directory))
        end = self.ends.pop(0)
        self.events = [Event(trial_id, EPOCH, {"epoch": 1, "loss": 0.5}), Event(trial_id, ENDED, end or {})]
        if end is None:
            metrics = {"state": "COMPLETED", "score": 0.2, "loss": 0.2, "best_epoch": 4}
            write_record(directory / "metrics.json", {**metrics, "seconds": 1.0, "parameters": 1})

    def wait(self, seconds: float) -> list[Event]:
        return [self.events.pop(0)]


def test_refit_trains_on_all_images_for_the_mean_of_the_best_epochs_once(study):
    trainer = Trainer(None)
    directory = refit(study, trainer)
    assert directory == study.directory / "refit/0000" and refit(study, trainer) == directory
    (spec,) = trainer.specs
    assert (spec.stop_epoch, spec.fold, spec.folds) == (4, (0, 1), None)
    assert (spec.settings.epochs, spec.settings.seed, spec.settings.patience) == (8, 9, None)


def test_refit_whose_worker_dies_goes_on_in_another(study):
    trainer = Trainer({"state": "FAILED", "message": "the worker died"}, None)
    refit(study, trainer)
    assert len(trainer.specs) == 2


def test_refit_that_fails_says_why_and_begins_anew_the_next_time(study):
    dead = {"state": "OUT_OF_MEMORY", "message": "memory ran out"}
    with pytest.raises(InputError, match="refit/0000 ended as OUT_OF_MEMORY: memory ran out"):
        refit(study, Trainer(dead))
    path = study.directory / "refit/0000"
    write_record(
        path / "metrics.json", {"state": "FAILED", "message": "ValueError: x.\nmore", "seconds": 1.0}
    )
    (path / "checkpoint.npz").write_bytes(b"")
    trainer = Trainer(None)
    refit(study, trainer)
    assert len(trainer.specs) == 1 and not (path / "checkpoint.npz").exists()


def test_refit_of_another_number_of_epochs_begins_anew(study):
    refit(study, Trainer(None))
    path = study.trial_directory("0000") / "metrics.json"
    write_record(path, {**read_record(path), "best_epochs": [8, 8, 8]})
    trainer = Trainer(None)
    refit(study, trainer)
    assert [spec.stop_epoch for spec in trainer.specs] == [8]


@pytest.mark.slow
def test_export_of_a_study_in_folds_is_scored_or_by_choice_refit(tmp_path):
    study = tuning.search(
        build,
        images(),
        tuner="random",
        trials=2,
        epochs=2,
        batch_size=32,
        folds=2,
        workers=1,
        directory=tmp_path / "study",
    )
    best = study.best
    low, high = best.interval
    assert low <= best.score <= high and best.directory.parent.name == best.trial
    assert (
        f"the mean of 2 folds (95 % interval {low:.4f}-{high:.4f})"
        in (tmp_path / "study/report.md").read_text()
    )
    scored = read_json(study.export(tmp_path / "saved") / "card.json")
    trial = read_record(best.directory.parent / "metrics.json")
    assert scored["validation"]["accuracy"] == trial["best_score"] == max(trial["scores"])
    card = read_json(study.export(tmp_path / "saved", refit=True) / "card.json")
    assert card["validation"] is None and card["data"]["fold"] == [0, 1]
    assert sum(card["data"]["counts"]["train"]) == 160 and sum(card["data"]["counts"]["validation"]) == 0
    assert any("it was not validated itself" in limit for limit in card["limits"])
    again = tmp_path / f"study/refit/{best.trial}/metrics.json"
    before = again.stat().st_mtime_ns
    study.export(tmp_path / "saved", refit=True)
    assert again.stat().st_mtime_ns == before
    with pytest.raises(InputError, match=r"build and data of .* are not stored"):
        tuning.Study(tmp_path / "study").export(refit=True)
