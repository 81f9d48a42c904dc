"""Which learning rates are probed, and for how many steps."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from keras_cnn.diagnosis.probe.decision import (
    DOUBT_FACTOR,
    fails_from_other_weights,
    final_score,
    has_learned,
    needs_longer_run,
    smaller_rate_is_ahead,
)
from keras_cnn.diagnosis.probe.objective import Objective
from keras_cnn.diagnosis.probe.probe import LONG_RUN_STEPS, MEDIUM_RUN_STEPS, Probe
from keras_cnn.diagnosis.probe.trace import Trace

logger = logging.getLogger(__name__)

# other learning rates / the configured one, probed where that fails; 0.3 because 16 convolutions with ReLU and Glorot
# initialization stay at chance at 1e-3 and learn at 3e-4 (docs/lecture.md)
OTHER_LR_RATIOS = (3.0, 10.0, 30.0, 0.3)
SMALLER_LR_RATIO = 0.1  # smaller learning rate / the configured one, probed where that works
# the configured learning rate / the usual one, above which other initial weights are tried
HIGH_LR_RATIO = 2.0
OTHER_STARTS = 2  # sets of other initial weights
NEAR_LR_RATIO = 2.0  # a learning rate within this factor of a probed one is left out


def probe_learning_rates(
    probe: Probe,
    objective: Objective,
    required_score: float,
    *,
    raise_threshold: bool,
    allow_extension: bool,
) -> tuple[Trace, list[Trace]]:
    """Probe the configured learning rate and others.

    Args:
        probe: of the model.
        objective: its `rate` is the configured learning rate.
        required_score: score at which the model counts as learning, in [0, 1].
        raise_threshold: whether the run at the configured learning rate goes on until twice the required score.
        allow_extension: whether a run that has not learned in 480 steps but may learn later is extended to 1,500.

    Returns:
        (trace at the configured learning rate, traces at others).
    """
    rate = objective.rate
    logger.info(f"probe: up to {MEDIUM_RUN_STEPS} steps at a learning rate of {rate:.1e}")
    target = DOUBT_FACTOR * required_score if raise_threshold else required_score
    own = probe.run_own(MEDIUM_RUN_STEPS, target)
    if has_learned(own, objective.chance, required_score):
        return _with_other_starts(probe, *_beside_smaller(probe, own), required_score)
    others = _others(probe, rate)
    if allow_extension and not probe.expired and needs_longer_run(own, others):
        logger.info(f"probe: extended to {LONG_RUN_STEPS} steps at a learning rate of {rate:.1e}")
        own = probe.run_own(LONG_RUN_STEPS, required_score)
    return own, others


def near(rate: float, other: float) -> bool:
    """Whether two learning rates are so close that only one is probed."""
    return max(rate, other) <= NEAR_LR_RATIO * min(rate, other)


def _beside_smaller(probe: Probe, own: Trace) -> tuple[Trace, list[Trace]]:
    """Compare with a tenth of the learning rate; if that scores higher after as many steps, both run for 480 steps.

    At a learning rate that is too high a model may learn a little and then stop.
    """
    if probe.expired:
        return own, []
    smaller = probe.run(own.rate * SMALLER_LR_RATIO)
    if probe.expired or not smaller_rate_is_ahead(own, smaller):
        return own, [smaller]
    return probe.run_own(MEDIUM_RUN_STEPS), [probe.run(smaller.rate, MEDIUM_RUN_STEPS)]


def _with_other_starts(
    probe: Probe, own: Trace, others: list[Trace], required_score: float
) -> tuple[Trace, list[Trace]]:
    """Train from other initial weights where one start cannot decide: at a learning rate above the usual one.

    There a model may learn from some weights, and stay at chance from most.
    """
    if probe.expired or own.rate <= HIGH_LR_RATIO * probe.scale.usual[0]:
        return own, others
    for seed in range(1, OTHER_STARTS + 1):
        logger.info(f"probe: other initial weights at a learning rate of {own.rate:.1e}")
        found = probe.run_from_other_weights(MEDIUM_RUN_STEPS, required_score, seed)
        if found is None or probe.expired:
            break
        own = replace(own, other_starts=(*own.other_starts, final_score(found)))
        if fails_from_other_weights(own):
            return own, [*others, *_others(probe, own.rate, [one.rate for one in others])]
    return own, others


def _others(probe: Probe, rate: float, known: Sequence[float] = ()) -> list[Trace]:
    """Traces at multiples of the configured learning rate and at usual ones of the optimizer, except for `known` ones.

    The configured rate itself is among them, held constant, where a schedule changes it.
    """
    largest = max(rate, probe.scale.largest)
    rates = [rate, *known]
    for other in [*(factor * rate for factor in OTHER_LR_RATIOS), *probe.scale.usual]:
        if 0 < other <= largest and not any(near(other, one) for one in rates):
            rates.append(other)
    chosen = [*rates[: int(probe.follows_schedule)], *rates[1 + len(known) :]]
    return [probe.run(other) for other in chosen if not probe.expired]
