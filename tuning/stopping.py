"""When a search ends, and in which words."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from keras_cnn.quantities import to_seconds
from keras_cnn.task import SHARES
from tuning.config import COMPLETED, StudyConfig
from tuning.oracles.base import is_too_large
from tuning.oracles.plan import plan_of
from tuning.storage.trials import outcome

if TYPE_CHECKING:
    from keras_tuner.engine.trial import Trial

    from tuning.oracles.base import DurableOracle


TOO_LARGE_IN_A_ROW = 30  # models; with more, hardly any of the space is allowed
PERFECT_TRIALS = 3  # of which the validation loss chooses one


class Clock:
    """How long a study has been searched, all its sessions together.

    Of earlier sessions the time counts while at least one trial ran, of this one all since `started`, a value of
    time.monotonic(); None for now.
    """

    def __init__(self, study: StudyConfig, started: float | None = None):
        ended = [outcome(path) for path in study.directory.glob("trials/*")]
        spans = [(one["ended"] - one["seconds"], one["ended"]) for one in ended if "ended" in one]
        self.before, self._started = covered(spans), time.monotonic() if started is None else started

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


def epochs_of(study: StudyConfig, values: dict) -> int:
    """Epochs that a trial with these hyperparameters trains; one that continues another trains only the rest."""
    return values.get("tuner/epochs", study.base.epochs) - values.get("tuner/initial_epoch", 0)


def stop_reason(study: StudyConfig, oracle: "DurableOracle", seconds: float) -> str:
    """Why no further trial may begin, after `seconds` of searching; empty if one may."""
    search, best = study.search, oracle.best_score
    if search.target is not None and study.sign * best >= study.sign * search.target:
        return f"{study.objective} {best:.4f} has reached the target of {search.target}"
    trained = [trial for trial in oracle.trials.values() if _is_fully_trained(study, trial)]
    # a smaller or faster model of the same score would be on the Pareto front
    can_be_perfect = study.objective in SHARES and not study.further_objectives
    perfect = sum(can_be_perfect and trial.status == COMPLETED and trial.score >= 1 for trial in trained)
    if perfect >= PERFECT_TRIALS:
        return (
            f"{perfect} trials of {study.base.epochs} epochs have {study.objective} 1.0000, and none can have more; "
            "with more validation images (--validation_split) they might differ"
        )
    last = oracle.end_order[-TOO_LARGE_IN_A_ROW:]
    if len(last) == TOO_LARGE_IN_A_ROW and all(is_too_large(oracle.trials[name]) for name in last):
        return f"the last {len(last)} models exceeded --max_parameters, --max_macs or --max_latency_ms"
    if seconds >= to_seconds("time", search.time):
        return f"it has run for {seconds:.0f} s, and {search.time} were given"
    return ""


def _is_fully_trained(study: StudyConfig, trial: "Trial") -> bool:
    """Not so at the lower rungs, from which more epochs may make a better model of an equal score."""
    values = trial.hyperparameters.values
    full = values.get("tuner/max_epochs", study.base.epochs)
    return values.get("tuner/epochs", full) >= full


def exhausted(study: StudyConfig, oracle: "DurableOracle") -> str:
    """Why the oracle has no further trial."""
    done = oracle.n_trained()
    if oracle.max_trials and done >= oracle.max_trials:
        return f"all {done} trials are done"
    if study.search.tuner == "hyperband" and done >= sum(rung.size for rung in plan_of(study)):
        return f"all brackets are done, {done} trials"
    if study.search.tuner == "auto":
        why = (
            f"no other training fits the {study.search.time}"
            if study.search.time
            else "all generations are done"
        )
        return f"{why}, {done} trials"
    return f"the space holds no other point than the {oracle.n_started()} that were tried"
