"""The end of a search of `auto` with a limit of time: what is left, and which trials must end for it."""

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from keras_cnn.quantities import to_seconds
from tuning.config import COMPLETED, StudyConfig
from tuning.oracles.auto import AutoOracle
from tuning.stopping import Clock

if TYPE_CHECKING:
    from tuning.oracles.base import DurableOracle

# on two cores, 2026-11-27: test measurement, SavedModel and its verification, of digits; and the report
EXPORT_SECONDS, REPORT_SECONDS = 15.0, 3.0
SLOWER = 1.1  # how many times as long as measured a training may take, as it does beside other work
GRACE = 0.05  # part of the time by which the search may be late, so that no schedule is cut off near its end


class Deadline:
    """When the trials of a study must have ended, so that the export ends in time; of other tuners there is none.

    Args:
        study: what is searched.
        clock: of the search.
        oracle: which learns how many seconds are left.
        exports: whether an export follows.
    """

    def __init__(self, study: StudyConfig, clock: Clock, oracle: "DurableOracle", exports: bool):
        self._clock, self._oracle, self._exports = clock, oracle, exports
        facts = study.facts
        tested = facts.images("test") if "test" in {*facts.counts, *facts.sizes} else 0
        self._test_share = tested / max(1, facts.images("train"))
        planned = isinstance(oracle, AutoOracle) and study.search.time is not None
        self._limit = to_seconds("time", study.search.time) if planned else math.inf
        self._stopped: set[str] = set()
        if isinstance(oracle, AutoOracle):
            oracle.seconds_left = lambda: self.left

    @property
    def seconds(self) -> float:
        """How long the study will have been searched if nothing more is trained."""
        return self._clock.seconds + (self._reserve if self._limit < math.inf else 0.0)

    @property
    def left(self) -> float:
        """Seconds for trials, as long as they were measured to take."""
        return (self._limit - self.seconds) / SLOWER

    def trial_limit(self, trial_id: str) -> float:
        """Seconds after which a trial that begins now is ended without a result.

        There is a limit for a configuration that is trained for the first time, whose cost nobody knows, unless it is
        the only one. Others end after an epoch, with a result.
        """
        trials = self._oracle.trials
        known = "tuner/trial_id" in trials[trial_id].hyperparameters.values
        if known or not any(trial.status == COMPLETED for trial in trials.values()):
            return math.inf
        return max(1.0, self._limit * (1 + GRACE) - self.seconds)

    def to_stop(self, running: Collection[str]) -> list[str]:
        """Trials that must end after their present epoch, because another would be too late; each is named once."""
        if self.seconds + self._epoch_seconds <= self._limit * (1 + GRACE):
            return []
        late = [trial_id for trial_id in running if trial_id not in self._stopped]
        self._stopped.update(late)
        return late

    @property
    def _reserve(self) -> float:
        """Seconds of the report and the export; a forward pass is about a third of a step of training."""
        exports = EXPORT_SECONDS + self._epoch_seconds * self._test_share / 3 if self._exports else 0.0
        return exports + REPORT_SECONDS

    @property
    def _epoch_seconds(self) -> float:
        return self._oracle.epoch_seconds if isinstance(self._oracle, AutoOracle) else 0.0
