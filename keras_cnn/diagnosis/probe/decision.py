"""The decision procedure: from probe runs to the learning rates at which a model learns.

The score of a run is the explained entropy of its last two measurements (`score.py`). With own = the run at the
configured learning rate and others = the runs at other learning rates:

1. Required score (`score_required`): 0.10; on hard data 2/3 of the linear baseline, at least 0.03 and at least the
   99.9th percentile of uninformative outputs. It is doubled (DOUBT_FACTOR) for models with mostly constant kernels or a
   bottleneck (`causes.py`, `schedule.py`).
2. own has learned (`has_learned`) if its score reaches the required score and its held-out loss is below chance.
3. If not, own is extended to a long run (`needs_longer_run`) if its score is above noise, or its logit standard
   deviation still grows; but not if another run scores more than 5 times as high in a short run, nor if the probability
   that it learns, computed from its first 120 steps, is below 0.02 (`probability.py`); then own ends there.
4. The model learns at another learning rate (`good_runs`) if the score there is above noise and exceeds 2/3 of own's.
5. It learns at its own (`good_runs`) if own reaches the required score, or, where no other learning rate is good and
   extensions are allowed, still improves; but not if own has plateaued below half the score at a smaller learning rate,
   or stays at noise level from other initial weights (`fails_from_other_weights`) where another learning rate is good.

The verdict is healthy if own is among the good learning rates, learning-rate-dependent if only others are, untrainable
if there are none, and undecided if there are none of those that could be probed in the time given.
"""

import math
from collections.abc import Iterable

import numpy as np

from keras_cnn.diagnosis.probe.probability import is_hopeless
from keras_cnn.diagnosis.probe.probe import MIN_DETECTABLE_SCORE, SHORT_RUN_STEPS
from keras_cnn.diagnosis.probe.trace import EVAL_INTERVAL_STEPS, Trace

HEALTHY, LR_DEPENDENT, UNTRAINABLE = "healthy", "learning-rate-dependent", "untrainable"
UNDECIDED = "undecided"  # the time was over before the model had learned

# The thresholds, set on seventeen generated families (benchmarks/diagnosis.py, 2026-11-25) and measured on nine others.
# Scores are explained entropies in [0, 1]; ratios are score / score unless stated otherwise.
SUFFICIENT_SCORE = 0.1  # required score on ordinary data
MIN_REQUIRED_SCORE = 0.03  # required score on data where the linear baseline scores low
BASELINE_RATIO = 2 / 3  # required score / linear baseline score, on hard data
DOUBT_FACTOR = (
    2.0  # required score of a model with constant kernels or a bottleneck / required score of others
)
ALTERNATIVE_LR_RATIO = 2 / 3  # another learning rate / own: above it the other one is good, too
DOMINANCE_RATIO = 5.0  # another learning rate in a short run / own: above it own is not extended
LAG_RATIO = 1 / 2  # own / smaller learning rate after as many steps: below it a plateaued run has not learned
IMPROVEMENT_RATIO = 1.15  # end of a run / its middle: above it score or logit std still grows
OVERFIT_LR_MULTIPLIER = 5.0  # learning rate of the overfitting test / own learning rate
MAX_OVERFIT_LOSS_RATIO = (
    0.75  # loss after overfitting 16 images / chance loss, of a model that is wide enough
)
# 2^-23: the rounding of float32
FLOAT32_ROUNDING_STD = 1.2e-7  # logit standard deviation that rounding alone produces


def final_score(trace: Trace) -> float:
    """The mean of the last two scores, because they fluctuate at high learning rates; 0 if the run diverged."""
    return float(np.mean(trace.scores[-2:])) if trace.finite else 0.0


def fails_from_other_weights(own: Trace) -> bool:
    """Whether the model learned, and stays at noise level from other initial weights."""
    return bool(own.other_starts) and is_above_noise(own) and min(own.other_starts) <= noise_floor(own)


def score_required(linear: float, null_score_p999: float) -> float:
    """The score at which a model counts as learning.

    Args:
        linear: score of the linear baseline, in [0, 1]; NaN if unknown.
        null_score_p999: 99.9th percentile of the score of uninformative outputs.

    Returns:
        A score in [0.03, 0.1].
    """
    if math.isnan(linear):
        return SUFFICIENT_SCORE
    return min(SUFFICIENT_SCORE, max(BASELINE_RATIO * linear, MIN_REQUIRED_SCORE, null_score_p999))


def noise_floor(trace: Trace) -> float:
    """The score that uninformative outputs may reach by chance, at least 0.015 and at most 0.1."""
    return max(MIN_DETECTABLE_SCORE, min(trace.null_score_p999, SUFFICIENT_SCORE))


def is_above_noise(trace: Trace) -> bool:
    """Whether the outputs carry information on the classes of held-out images."""
    return final_score(trace) > noise_floor(trace)


def has_learned(own: Trace, chance: float, required_score: float = SUFFICIENT_SCORE) -> bool:
    """Whether no other learning rate need be probed: the score suffices and the held-out loss is below chance."""
    return final_score(own) >= required_score and loss_drops(own, chance)[-1] > 0


def learns_within_short_run(trace: Trace) -> bool:
    """Whether the score was above noise within the first 48 steps."""
    return trace.finite and float(
        np.mean(trace.scores[: SHORT_RUN_STEPS // EVAL_INTERVAL_STEPS + 1][-2:])
    ) > noise_floor(trace)


def smaller_rate_is_ahead(own: Trace, smaller: Trace) -> bool:
    """Whether the smaller learning rate scores higher after as many steps, at the end of the shorter run."""
    end = min(len(own.scores), len(smaller.scores))
    own_score, smaller_score = (float(np.mean(trace.scores[end - 2 : end])) for trace in (own, smaller))
    return smaller.finite and smaller_score > own_score


def needs_longer_run(own: Trace, others: Iterable[Trace]) -> bool:
    """Whether the run at the configured learning rate is to be extended, because plateaus may end late (step 3)."""
    if is_hopeless(own.probability) or any(
        is_above_noise(trace) and final_score(trace) > DOMINANCE_RATIO * final_score(own) for trace in others
    ):
        return False
    return is_above_noise(own) or logit_std_is_growing(own)


def good_runs(
    own: Trace,
    others: Iterable[Trace],
    allow_extension: bool = True,
    required_score: float = SUFFICIENT_SCORE,
) -> list[Trace]:
    """The runs in which the model learns (steps 4 and 5).

    Args:
        own: the run at the configured learning rate, or along its schedule.
        others: the runs at other learning rates.
        allow_extension: whether a run that still improves counts as learning where no other learning rate is good;
            False where the reason that it is slow is known.
        required_score: in [0, 1].

    Returns:
        The runs: `own` first if it is good, then the others, the best first.
    """
    fails = fails_from_other_weights(own)
    score = min(own.other_starts) if fails else final_score(own)
    good = [
        trace
        for trace in others
        if is_above_noise(trace) and final_score(trace) > ALTERNATIVE_LR_RATIO * score
    ]
    found = sorted(good, key=final_score, reverse=True)
    lags = has_plateaued(own) and any(
        LAG_RATIO * final_score(trace) > score for trace in good if trace.rate < own.rate
    )
    may_learn_later = allow_extension and not good and still_improving(own)
    learned = final_score(own) >= required_score and not (fails and good)
    return [own, *found] if not lags and (learned or may_learn_later) else found


def still_improving(trace: Trace) -> bool:
    """Whether the score is above noise and higher than in the middle of the run."""
    return (
        is_above_noise(trace)
        and final_score(trace) > IMPROVEMENT_RATIO * trace.scores[len(trace.scores) // 2]
    )


def logit_std_is_growing(trace: Trace) -> bool:
    """Whether the logits vary more over images than in the middle of the run, by more than rounding."""
    middle = max(trace.logit_stds[len(trace.logit_stds) // 2], FLOAT32_ROUNDING_STD)
    return trace.finite and trace.logit_stds[-1] > IMPROVEMENT_RATIO * middle


def has_plateaued(trace: Trace) -> bool:
    """Whether the mean score of the last quarter of the run does not exceed that of the quarter before."""
    quarter = max(1, len(trace.scores) // 4)
    last, before = (np.mean(trace.scores[start:][:quarter]) for start in (-quarter, -2 * quarter))
    return bool(last <= IMPROVEMENT_RATIO * before)


def loss_drops(trace: Trace, chance: float) -> list[float]:
    """1 - loss / chance of the held-out images at each measurement: 0 at chance, 1 at a loss of 0."""
    return [1 - loss / chance for loss in trace.held_out]


def overfit_loss_ratio(overfit: Trace, chance: float) -> float:
    """The lowest of the last three losses on the one batch / chance; infinite if it diverged."""
    return min(overfit.losses[-3:]) / chance if overfit.finite else float("inf")
