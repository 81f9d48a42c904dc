"""Searches without training: studies, and trials whose score follows from their values."""

import random
from pathlib import Path

from keras_tuner.engine.trial import Trial

from keras_cnn.data.dataset import DataFacts
from keras_cnn.records import write_record
from keras_cnn.training.config import TrainSettings
from tuning.config import StudyConfig
from tuning.search_settings import SearchSettings
from tuning.trial import TrialSpec

FACTS = DataFacts("x", (32, 32, 3), ("a", "b"), {"train": [900, 900]}, (1.0,) * 3, (1.0,) * 3)


def study_in(directory, tuner, seed=0, trials=8, fixed_hyperparameters=None, epochs=4) -> StudyConfig:
    search = SearchSettings(tuner=tuner, trials=None if tuner == "hyperband" or trials is None else trials)
    base = TrainSettings(epochs=epochs, seed=seed)
    return StudyConfig(directory, search, base, fixed_hyperparameters or {"learning_rate": 0.1}, FACTS)


def score_of(values: dict) -> float:
    return (
        values.get("options.blocks", 0) * 0.1 + values.get("dropout", 0) + values.get("batch_norm", 0) * 0.01
    )


def directory_of(oracle, trial) -> Path:
    return Path(oracle._project_dir).parent / "trials" / trial.trial_id


def begin(oracle) -> Trial:
    """The next trial, with its file as a search writes it."""
    trial = oracle.create_trial("t")
    if trial.status == "RUNNING":
        values = trial.hyperparameters.values
        TrialSpec(TrainSettings(), 1, hyperparameters=values).write(directory_of(oracle, trial))
    return trial


def end(oracle, trial, failed: bool = False) -> None:
    """With the trial's result on disk, as a worker writes it."""
    score = score_of(trial.hyperparameters.values)
    numbers = {"score": score, "loss": 1.0, "best_epoch": 1, "seconds": 1.0, "parameters": 1}
    if failed:
        trial.status, trial.message, record = "FAILED", "DIVERGED: x", {"state": "DIVERGED", "message": "x"}
    else:
        oracle.update_trial(trial.trial_id, {"val_accuracy": score, "val_loss": 1.0}, step=1)
        trial.status, record = "COMPLETED", {"state": "COMPLETED", **numbers}
    write_record(directory_of(oracle, trial) / "metrics.json", record)
    oracle.end_trial(trial)


def run(oracle, most: int | None = None, slots: int = 1, shuffle: random.Random | None = None) -> list[dict]:
    """Run up to `most` trials, `slots` at once, that end in random order; returns their values as they began."""
    configurations, running = [], []
    while True:
        while len(running) < slots and (most is None or len(configurations) < most):
            trial = begin(oracle)
            if trial.status != "RUNNING":
                break
            running.append(trial)
            configurations.append(trial.hyperparameters.values)
        if not running:
            return configurations
        end(oracle, running.pop(shuffle.randrange(len(running)) if shuffle else 0))
