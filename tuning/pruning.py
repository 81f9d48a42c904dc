"""Rules that end a trial early, because at the same epoch others were better. They judge whenever an epoch ends, so no
worker waits for another."""

import statistics
from collections.abc import Iterable, Mapping

from tuning.config import StudyConfig
from tuning.oracles.hyperband import REDUCTION_FACTOR

MIN_PEERS = 3  # other trials that must have come as far


class Pruner:
    """The values of the objective by epoch, of every trial. kind: `median`, `asha`, or None, which ends none.

    median: the trial's best value so far is below the median of the others' mean values up to that epoch (Golovin et
    al. 2017, Google Vizier, section 3.4.2). asha: at epochs 1, 3, 9, ... it is not within the best third of those that
    have come there (Li et al. 2020, A System for Massively Parallel Hyperparameter Tuning, section 3; stopping, not
    promoting). sign: 1 if the highest value is the best, -1 if the lowest is.
    """

    def __init__(self, kind: str | None, histories: Mapping[str, Iterable[float]], sign: int = 1):
        self._kind, self._sign, self._worse = kind, sign, "below" if sign > 0 else "above"
        self._values = {trial: [sign * value for value in values] for trial, values in histories.items()}

    def judge(self, trial: str, epoch: int, value: float) -> str:
        """Take up a value; returns why the trial should end, or nothing. epoch: from 1."""
        mine = self._values.setdefault(trial, [])
        del mine[epoch - 1 :]
        mine.append(self._sign * value)
        others = [values for name, values in self._values.items() if name != trial and len(values) >= epoch]
        if len(others) < MIN_PEERS:
            return ""
        if self._kind == "median":
            bar = statistics.median(statistics.fmean(values[:epoch]) for values in others)
            shown = f"the median {self._sign * bar:.4f} after epoch {epoch}"
            return f"{self._worse} {shown}" if max(mine) < bar else ""
        if self._kind == "asha" and _is_rung(epoch):
            reached = sorted((max(values[:epoch]) for values in [*others, mine]), reverse=True)
            bar = reached[max(0, len(reached) // REDUCTION_FACTOR - 1)]
            shown = f"{self._sign * bar:.4f}, the best third after epoch {epoch}"
            return f"{self._worse} {shown}" if max(mine) < bar else ""
        return ""


def _is_rung(epoch: int) -> bool:
    while epoch % REDUCTION_FACTOR == 0:
        epoch //= REDUCTION_FACTOR
    return epoch == 1


def histories(study: StudyConfig, records: dict[str, dict]) -> dict[str, list[float]]:
    """Values by epoch of trials that have ended, from their metrics.json's."""
    return {
        trial: metrics["history"][study.objective]
        for trial, metrics in records.items()
        if study.objective in metrics.get("history", {})
    }
