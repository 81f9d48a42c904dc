"""From what was measured to a verdict: does the net train at its own rate, at others, or at none that was tried?

The constants were set on seventeen families of the fault set (`benchmarks/fault_set.py`) and are measured on others.
"""

import math
from collections.abc import Iterable

import numpy as np

from keras_cnn.diagnosis.probe.probe import EVAL_INTERVAL_STEPS, MIN_DETECTABLE_SCORE, SHORT_RUN_STEPS, Trace

HEALTHY, LR_DEPENDENT, UNTRAINABLE = "healthy", "learning-rate-dependent", "untrainable"

# shares of the entropy of the classes
SUFFICIENT_SCORE = 0.1  # that a net tells which learns, and need not be looked at any longer
MIN_REQUIRED_SCORE = 0.03  # the same where images are hard to tell apart
DOUBT_FACTOR = 2.0  # times enough, that one must tell whose graph or width makes one doubt that it learns
# times what it tells at its own rate
ALTERNATIVE_LR_RATIO = (
    2 / 3
)  # told at another: that one is good too; and of what a linear classifier tells, enough
DOMINANCE_RATIO = 5.0  # told at another in a tenth of the steps: the net waits too long
LAG_RATIO = (
    1 / 2
)  # of what is told at a smaller rate in as many steps: less, where it stands, is not learning
IMPROVEMENT_RATIO = 1.15  # times as much as half-way
ROUNDING = 1.2e-7  # sd of the logits that float32 makes out of nothing
OVERFIT_LR_MULTIPLIER = 5.0  # times the rate, for one batch by heart
MAX_OVERFIT_LOSS_RATIO = (
    0.75  # of the chance loss: a net that cannot push 16 images below it holds too little
)


def final_score(trace: Trace) -> float:
    """What it tells at the end; the mean of the last two measurements, for at high rates they differ."""
    return float(np.mean(trace.scores[-2:])) if trace.finite else 0.0


def score_required(linear: float, null_score_p999: float) -> float:
    """What a net must tell that learns: a tenth, or nearly what a linear classifier does where that is less, but more
    than can be chance. linear: NaN where nobody knows."""
    return (
        SUFFICIENT_SCORE
        if math.isnan(linear)
        else min(SUFFICIENT_SCORE, max(ALTERNATIVE_LR_RATIO * linear, MIN_REQUIRED_SCORE, null_score_p999))
    )


def noise_floor(trace: Trace) -> float:
    """What it must tell that does not stand still: more than can be chance where images are few."""
    return max(MIN_DETECTABLE_SCORE, min(trace.null_score_p999, SUFFICIENT_SCORE))


def is_above_noise(trace: Trace) -> bool:
    """Whether its outputs tell the classes of images held out apart at all."""
    return final_score(trace) > noise_floor(trace)


def has_learned(own: Trace, chance: float, required_score: float = SUFFICIENT_SCORE) -> bool:
    """Whether no other rate need be tried: it tells as much as is asked, and its loss has come below chance."""
    return final_score(own) >= required_score and loss_drops(own, chance)[-1] > 0


def learns_within_short_run(trace: Trace) -> bool:
    """Whether its outputs told them apart within the first 48 steps."""
    return trace.finite and float(
        np.mean(trace.scores[: SHORT_RUN_STEPS // EVAL_INTERVAL_STEPS + 1][-2:])
    ) > noise_floor(trace)


def smaller_rate_is_ahead(own: Trace, smaller: Trace) -> bool:
    """Whether at the smaller rate its outputs tell more after as many steps, as far as both go."""
    end = min(len(own.scores), len(smaller.scores))
    mine, others = (float(np.mean(trace.scores[end - 2 : end])) for trace in (own, smaller))
    return smaller.finite and others > mine


def needs_longer_run(own: Trace, others: Iterable[Trace]) -> bool:
    """Whether it may yet learn at its own rate, and must be looked at longer: its outputs tell something, or their
    signal grows, for plateaus end late; and no other rate is far ahead in a tenth of the steps."""
    if any(
        is_above_noise(trace) and final_score(trace) > DOMINANCE_RATIO * final_score(own) for trace in others
    ):
        return False
    return is_above_noise(own) or logit_std_is_growing(own)


def good_rates(
    own: Trace,
    others: Iterable[Trace],
    allow_extension: bool = True,
    required_score: float = SUFFICIENT_SCORE,
) -> tuple[float, ...]:
    """Those at which it trains, the best first.

    own: the long look at the net's own rate. It must tell as much as is `asked`, and where it stands, at least half as
    much as at smaller rates in as many steps. Or it must grow while no other rate comes near it: where images are hard
    to tell apart nobody tells much. Without `patience`, where it is known what makes the net slow, growing does not
    count.
    """
    mine = final_score(own)
    good = [
        trace
        for trace in others
        if is_above_noise(trace) and final_score(trace) > ALTERNATIVE_LR_RATIO * mine
    ]
    found = sorted(good, key=final_score, reverse=True)
    thrown = has_plateaued(own) and any(
        LAG_RATIO * final_score(trace) > mine for trace in good if trace.rate < own.rate
    )
    promises = allow_extension and not good and still_improving(own)
    if not thrown and (mine >= required_score or promises):
        found.insert(0, own)
    return tuple(trace.rate for trace in found)


def still_improving(trace: Trace) -> bool:
    """Whether its outputs tell something, and more than half-way."""
    return (
        is_above_noise(trace)
        and final_score(trace) > IMPROVEMENT_RATIO * trace.scores[len(trace.scores) // 2]
    )


def logit_std_is_growing(trace: Trace) -> bool:
    """Whether its outputs differ more from image to image than half-way, by more than rounding."""
    half = max(trace.logit_stds[len(trace.logit_stds) // 2], ROUNDING)
    return trace.finite and trace.logit_stds[-1] > IMPROVEMENT_RATIO * half


def has_plateaued(trace: Trace) -> bool:
    """Whether its outputs tell no more in the last quarter than in the one before."""
    quarter = max(1, len(trace.scores) // 4)
    last, before = (np.mean(trace.scores[place:][:quarter]) for place in (-quarter, -2 * quarter))
    return bool(last <= IMPROVEMENT_RATIO * before)


def loss_drops(trace: Trace, chance: float) -> list[float]:
    """How far the loss of the images held out lies below chance, as a share of chance, at each measurement."""
    return [1 - loss / chance for loss in trace.held_out]


def overfit_loss_ratio(overfit: Trace, chance: float) -> float:
    """The least loss of the last steps on the one batch, as a share of chance; infinite if it diverged."""
    return min(overfit.losses[-3:]) / chance if overfit.finite else float("inf")
