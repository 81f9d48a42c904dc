"""Studies made of files alone, for tests of reports: nothing is trained."""

from pathlib import Path

import keras_tuner as kt
import numpy as np

from keras_cnn.records import write_record
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import METRICS
from tests.tuning_studies import digits_facts
from tuning.config import SearchSettings, StudyConfig, read_study
from tuning.space.sampling import draw

EPOCHS = 5
MINUTE = 60.0
HOSTILE = '</script><img src=x onerror=alert(1)>{{ 7 * 7 }}%{x}'  # fmt: skip


def made_space(name: str = "units") -> kt.HyperParameters:
    """Four hyperparameters; the score follows from `learning_rate` and the one called `name`."""
    space = kt.HyperParameters()
    space.Choice("optimizer", ["sgd", "adam"])
    for optimizer in ("sgd", "adam"):
        with space.conditional_scope("optimizer", [optimizer]):
            space.Float(f"learning_rate_{optimizer}", 1e-4, 1e-1, sampling="log")
    space.Int(name, 1, 64)
    space.Boolean("deep")
    space.Fixed("seed", 3)
    return space


def score_of(configuration: dict, name: str = "units") -> float:
    """In (0, 1): the higher, the nearer the learning rate is to 0.01 and the more units there are."""
    rate = configuration[f"learning_rate_{configuration['optimizer']}"]
    return round(0.9 - 0.1 * abs(np.log10(rate) + 2) + 0.001 * configuration[name], 6)


def made_study(
    folder: Path, trials: int, *, name: str = "units", objective: str | None = None, further=(), **search
):
    """A study of so many completed trials, two at a time, a minute each. name: of a hyperparameter."""
    facts, space = digits_facts(), made_space(name)
    base = TrainSettings(epochs=EPOCHS, objective=objective).resolved(facts)
    settings = SearchSettings(**{"tuner": "random", "trials": trials, **search})
    study = StudyConfig(
        folder, settings, base, {}, facts, space=space.get_config(), further_objectives=further
    )
    study.write()
    for number in range(trials):
        configuration = draw(space, str(number))
        score = score_of(configuration, name)
        history = [round(score * (1 - 0.5**epoch), 6) for epoch in range(1, EPOCHS)] + [score]
        parameters = 100 * configuration[name]
        write_trial(study, number, configuration, {
            "score": score, "loss": 1 - score, "best_epoch": EPOCHS - 1, "parameters": parameters,
            "history": {study.objective: history, "loss": history},
            "objectives": {"parameters": parameters} if further else None,
        })  # fmt: skip
    return read_study(folder)


def write_trial(study: StudyConfig, number: int, configuration: dict, result: dict) -> None:
    """metrics.json of a trial that completed, unless `result` has another `state`."""
    directory = study.trial_directory(f"{number:04d}")
    directory.mkdir(parents=True, exist_ok=True)
    times = {"seconds": MINUTE, "ended": 1.7e9 + MINUTE * (1 + number // 2)}
    record = {"state": "COMPLETED", "hyperparameters": configuration, **times, **result}
    write_record(directory / METRICS, {name: value for name, value in record.items() if value is not None})
