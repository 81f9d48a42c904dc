"""Whether the lecture's claims hold: at every learning rate, at some, or at none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from keras_cnn.lecture.ladder import Result
from keras_cnn.lecture.rungs import RATE, RUNGS, Rung

# training accuracy - share of the largest class, below which a model has learned nothing; set by hand
STUCK_MARGIN = 0.05
RATE_TOLERANCE = 0.01  # relative difference of learning rates that count as equal
HELD, FAILED, CONDITIONAL, OPEN = "held", "failed", "conditional", "open"


@dataclass(frozen=True)
class Accuracy:
    """Training accuracy over seeds, in [0, 1].

    Args:
        mean: over seeds.
        median: over seeds.
        low: lower end of the mean's 95 % interval (Student's t); the mean for one seed.
        high: upper end.
        runs: number of seeds.
    """

    mean: float
    median: float
    low: float
    high: float
    runs: int


def accuracy(results: Sequence[Result], rung: str, rate: float = RATE) -> Accuracy:
    """The training accuracy of the runs of a rung at a learning rate."""
    values = [
        result.accuracy
        for result in results
        if result.rung == rung and abs(result.rate / rate - 1) < RATE_TOLERANCE
    ]
    mean = float(np.mean(values))
    half = (
        float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)
        if values[1:]
        else 0.0
    )
    low, high = max(0.0, mean - half), min(1.0, mean + half)
    return Accuracy(mean, float(np.median(values)), low, high, len(values))


def judge(rung: Rung, results: Sequence[Result], majority: float) -> tuple[str, dict[float, bool]]:
    """Whether the claim of a rung holds.

    Claims: `stuck`: the median accuracy is below the share of the largest class + 0.05. `better`: the mean accuracy
    exceeds that of the rung `than` at the lecture's learning rate by more than the mean half-width of both intervals.
    `baseline` claims nothing.

    Args:
        rung: with its claim.
        results: of all runs.
        majority: share of the largest class, in [0, 1].

    Returns:
        (outcome, learning rate -> whether the claim held there).
    """
    if rung.claim == "baseline":
        return OPEN, {}
    held = {
        rate: _holds(rung, accuracy(results, rung.name, rate), results, majority)
        for rate in (RATE, *rung.rates)
    }
    if all(held.values()):
        return HELD, held
    if not any(held.values()):
        return FAILED, held
    return CONDITIONAL, held


def _holds(rung: Rung, found: Accuracy, results: Sequence[Result], majority: float) -> bool:
    if rung.claim == "stuck":
        return found.median < majority + STUCK_MARGIN
    other = accuracy(results, rung.than)
    margin = ((found.high - found.low) + (other.high - other.low)) / 4
    return found.mean - other.mean > margin


def by_name(name: str) -> Rung:
    """The rung of that name."""
    return next(rung for rung in RUNGS if rung.name == name)
