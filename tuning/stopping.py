"""When a search ends, and in which words."""

import time
from collections.abc import Iterable

import keras_tuner as kt
from keras_tuner.engine.trial import Trial

from keras_cnn.files import read_json
from keras_cnn.training.run_directory import METRICS
from tuning.config import Study
from tuning.oracles.base import best_score
from tuning.quantities import to_seconds


class Clock:
    """How long a study has been searched, all its sessions together: while at least one trial ran."""

    def __init__(self, study: Study):
        ended = [read_json(path) for path in study.directory.glob(f"trials/*/{METRICS}")]
        spans = [(one["ended"] - one["seconds"], one["ended"]) for one in ended if "ended" in one]
        self.before, self._started = covered(spans), time.monotonic()

    @property
    def seconds(self) -> float:
        """Of the earlier sessions and this one."""
        return self.before + time.monotonic() - self._started


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """The length of the union of intervals."""
    total, reached = 0.0, -float("inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def planned_epochs(study: Study, oracle: kt.Oracle) -> int:
    """How many epochs the search trains if nothing ends it early."""
    if hasattr(oracle, "planned_epochs"):
        return oracle.planned_epochs()
    return (oracle.max_trials or 0) * study.base.epochs


def epochs_of(study: Study, trial: Trial) -> int:
    """How many of them are this trial's."""
    values = trial.hyperparameters.values
    return values.get("tuner/epochs", study.base.epochs) - values.get("tuner/initial_epoch", 0)


def stop_reason(study: Study, oracle: kt.Oracle, seconds: float) -> str:
    """Why no further trial may begin, after `seconds` of searching; empty if one may."""
    search, best = study.search, best_score(oracle)
    if search.target is not None and best >= search.target:
        return f"{study.objective} {best:.4f} has reached the target of {search.target}"
    if seconds >= to_seconds("time", search.time):
        return f"it has run for {seconds:.0f} s, and {search.time} were given"
    return ""


def exhausted(study: Study, oracle: kt.Oracle) -> str:
    """Why the oracle has no further trial."""
    done = len(oracle.trials)
    if oracle.max_trials and done >= oracle.max_trials:
        return f"all {done} trials are done"
    if study.search.tuner == "hyperband" and done >= oracle.planned():
        return f"all brackets are done, {done} trials"
    return f"the space holds no other point than the {oracle.n_started()} that were tried"
