"""Which rates are probed, and for how long."""

import logging

from keras_cnn.diagnosis.probe.decision import (
    DOUBT_FACTOR,
    has_learned,
    needs_longer_run,
    smaller_rate_is_ahead,
)
from keras_cnn.diagnosis.probe.objective import Objective
from keras_cnn.diagnosis.probe.probe import LONG_RUN_STEPS, MEDIUM_RUN_STEPS, Probe, Trace

logger = logging.getLogger(__name__)

# times its own rate, tried where that fails: 16 convolutions with ReLU and Glorot stick at 1e-3, and train at 3e-4
OTHER_FACTORS = (3.0, 10.0, 30.0, 0.3)
USUAL_RATES = (1e-3, 1e-2, 1e-4, 1e-1)  # tried then too
# the largest tried, if its own is not larger; Adam and its kin make steps as long as their rate however small gradients
# are, and what nets tell after few steps at larger ones does not last
LARGEST, LARGEST_SGD = 1e-2, 1e-1
SMALLER = 0.1  # times its own rate, tried where that works: does the net learn but a little of what it could?
NEAR = 2.0  # a usual rate within this factor of one that was tried is left out


def probe_learning_rates(
    probe: Probe,
    objective: Objective,
    required_score: float,
    *,
    raise_threshold: bool,
    allow_extension: bool,
) -> tuple[Trace, list[Trace]]:
    """(the trace at the net's own rate, those at others).

    asked: share of the entropy of the classes that a net must tell which has learned. doubted: whether one looks until
    it tells twice as much. patience: whether a net that does not learn in 480 steps but may yet is given 1,500.
    """
    rate = objective.rate
    logger.info(f"probe: up to {MEDIUM_RUN_STEPS} steps at {rate:.1e}")
    own = probe.run(
        rate, MEDIUM_RUN_STEPS, DOUBT_FACTOR * required_score if raise_threshold else required_score
    )
    if has_learned(own, objective.chance, required_score):
        return _beside_smaller(probe, own)
    others = _others(probe, rate)
    if allow_extension and needs_longer_run(own, others):
        logger.info(f"probe: it may yet learn: up to {LONG_RUN_STEPS} steps at {rate:.1e}")
        own = probe.run(rate, LONG_RUN_STEPS, required_score)
    return own, others


def near(rate: float, other: float) -> bool:
    """Whether one of them need not be tried where the other is."""
    return max(rate, other) <= NEAR * min(rate, other)


def _beside_smaller(probe: Probe, own: Trace) -> tuple[Trace, list[Trace]]:
    """Where it learns, one smaller rate is tried; if that is ahead after as many steps, both go on to 480: a net may
    learn a little at a rate that lets it learn no more."""
    smaller = probe.run(own.rate * SMALLER)
    if not smaller_rate_is_ahead(own, smaller):
        return own, [smaller]
    return probe.run(own.rate, MEDIUM_RUN_STEPS), [probe.run(smaller.rate, MEDIUM_RUN_STEPS)]


def _others(probe: Probe, rate: float) -> list[Trace]:
    """Traces at larger and at usual rates than its own."""
    most = max(rate, LARGEST_SGD if probe.descends else LARGEST)
    rates = [rate]
    for other in [*(factor * rate for factor in OTHER_FACTORS), *USUAL_RATES]:
        if 0 < other <= most and not any(near(other, one) for one in rates):
            rates.append(other)
    return [probe.run(other) for other in rates[1:]]
