"""What became of the lecture's claims: held, did not, or hold only at some rates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from keras_cnn.lecture.ladder import RATE, RUNGS, Result, Rung

STUCK = (
    0.05  # above the largest class's share: a training accuracy below is that of a net which learns nothing
)
HELD, FAILED, CONDITIONAL, OPEN = "held", "failed", "conditional", "open"


@dataclass(frozen=True)
class Accuracy:
    """Mean and median training accuracy over seeds; low, high: the mean's 95 % interval by Student's t, the mean itself
    for one seed."""

    mean: float
    median: float
    low: float
    high: float
    runs: int


def accuracy(results: Sequence[Result], rung: str, rate: float = RATE) -> Accuracy:
    values = [
        result.accuracy for result in results if result.rung == rung and abs(result.rate / rate - 1) < 0.01
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
    """(what became of its claim, whether it held at each rate). majority: share of the largest class.

    stuck: with most seeds it learns nothing. better: than the rung `than` at the lecture's rate, with the means further
    apart than the mean of their intervals' halves. baseline claims nothing.
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
        return found.median < majority + STUCK
    other = accuracy(results, rung.than)
    margin = ((found.high - found.low) + (other.high - other.low)) / 4
    return found.mean - other.mean > margin


def by_name(name: str) -> Rung:
    return next(rung for rung in RUNGS if rung.name == name)
