"""From what was measured to a verdict: does the net train at its own rate, at others, or at none that was tried?

The constants were set on seventeen families of the fault set (`benchmarks/fault_set.py`) and are measured on others.
"""

import math
from collections.abc import Iterable

import numpy as np

from keras_cnn.diagnosis.probe.probe import MOVED, PIECE, STEPS, Trace

HEALTHY, CONDITIONAL, DEAD = "healthy", "rate-conditional", "dead at every rate tried"

# shares of the entropy of the classes
ENOUGH = 0.1  # that a net tells which learns, and need not be looked at any longer
LEAST = 0.03  # the same where images are hard to tell apart
SURE = 2.0  # times enough, that one must tell whose graph or width makes one doubt that it learns
# times what it tells at its own rate
NEARLY = 2 / 3  # told at another: that one is good too; and of what a linear classifier tells, enough
AHEAD = 5.0  # told at another in a tenth of the steps: the net waits too long
BEHIND = 1 / 2  # of what is told at a smaller rate in as many steps: less, where it stands, is not learning
GROWS = 1.15  # times as much as half-way
ROUNDING = 1.2e-7  # sd of the logits that float32 makes out of nothing
LOUDER = 5.0  # times the rate, for one batch by heart
BY_HEART = 0.75  # of the chance loss: a net that cannot push 16 images below it holds too little


def reached(trace: Trace) -> float:
    """What it tells at the end; the mean of the last two measurements, for at high rates they differ."""
    return float(np.mean(trace.told[-2:])) if trace.finite else 0.0


def enough(linear: float, by_chance: float) -> float:
    """What a net must tell that learns: a tenth, or nearly what a linear classifier does where that is less, but more
    than can be chance. linear: NaN where nobody knows."""
    return ENOUGH if math.isnan(linear) else min(ENOUGH, max(NEARLY * linear, LEAST, by_chance))


def moved(trace: Trace) -> float:
    """What it must tell that does not stand still: more than can be chance where images are few."""
    return max(MOVED, min(trace.by_chance, ENOUGH))


def trains(trace: Trace) -> bool:
    """Whether its outputs tell the classes of images held out apart at all."""
    return reached(trace) > moved(trace)


def settled(own: Trace, chance: float, asked: float = ENOUGH) -> bool:
    """Whether no other rate need be tried: it tells as much as is asked, and its loss has come below chance."""
    return reached(own) >= asked and drops(own, chance)[-1] > 0


def at_once(trace: Trace) -> bool:
    """Whether its outputs told them apart within the first 48 steps."""
    return trace.finite and float(np.mean(trace.told[: STEPS // PIECE + 1][-2:])) > moved(trace)


def overshoots(own: Trace, smaller: Trace) -> bool:
    """Whether at the smaller rate its outputs tell more after as many steps, as far as both go."""
    end = min(len(own.told), len(smaller.told))
    mine, others = (float(np.mean(trace.told[end - 2 : end])) for trace in (own, smaller))
    return smaller.finite and others > mine


def doubtful(own: Trace, others: Iterable[Trace]) -> bool:
    """Whether it may yet learn at its own rate, and must be looked at longer: its outputs tell something, or their
    signal grows, for plateaus end late; and no other rate is far ahead in a tenth of the steps."""
    if any(trains(trace) and reached(trace) > AHEAD * reached(own) for trace in others):
        return False
    return trains(own) or stirs(own)


def good_rates(
    own: Trace, others: Iterable[Trace], patience: bool = True, asked: float = ENOUGH
) -> tuple[float, ...]:
    """Those at which it trains, the best first.

    own: the long look at the net's own rate. It must tell as much as is `asked`, and where it stands, at least half as
    much as at smaller rates in as many steps. Or it must grow while no other rate comes near it: where images are hard
    to tell apart nobody tells much. Without `patience`, where it is known what makes the net slow, growing does not
    count.
    """
    mine = reached(own)
    good = [trace for trace in others if trains(trace) and reached(trace) > NEARLY * mine]
    found = sorted(good, key=reached, reverse=True)
    thrown = stands(own) and any(BEHIND * reached(trace) > mine for trace in good if trace.rate < own.rate)
    promises = patience and not good and grows(own)
    if not thrown and (mine >= asked or promises):
        found.insert(0, own)
    return tuple(trace.rate for trace in found)


def grows(trace: Trace) -> bool:
    """Whether its outputs tell something, and more than half-way."""
    return trains(trace) and reached(trace) > GROWS * trace.told[len(trace.told) // 2]


def stirs(trace: Trace) -> bool:
    """Whether its outputs differ more from image to image than half-way, by more than rounding."""
    half = max(trace.spreads[len(trace.spreads) // 2], ROUNDING)
    return trace.finite and trace.spreads[-1] > GROWS * half


def stands(trace: Trace) -> bool:
    """Whether its outputs tell no more in the last quarter than in the one before."""
    quarter = max(1, len(trace.told) // 4)
    last, before = (np.mean(trace.told[place:][:quarter]) for place in (-quarter, -2 * quarter))
    return bool(last <= GROWS * before)


def drops(trace: Trace, chance: float) -> list[float]:
    """How far the loss of the images held out lies below chance, as a share of chance, at each measurement."""
    return [1 - loss / chance for loss in trace.held_out]


def by_heart(overfit: Trace, chance: float) -> float:
    """The least loss of the last steps on the one batch, as a share of chance; infinite if it diverged."""
    return min(overfit.losses[-3:]) / chance if overfit.finite else float("inf")
