"""The decision procedure on synthetic traces."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cnn.diagnosis.probe.decision import (
    MIN_DETECTABLE_SCORE,
    MIN_REQUIRED_SCORE,
    SUFFICIENT_SCORE,
    good_runs,
    has_learned,
    is_above_noise,
    learns_within_short_run,
    needs_longer_run,
    score_required,
    smaller_rate_is_ahead,
)
from keras_cnn.diagnosis.probe.probe import MEDIUM_RUN_STEPS, SHORT_RUN_STEPS
from keras_cnn.diagnosis.probe.trace import EVAL_INTERVAL_STEPS, Trace

CHANCE = math.log(10)


def trace(rate: float, score, steps: int = SHORT_RUN_STEPS, logit_stds=None, loss: float = 1.0) -> Trace:
    """A trace whose score grows linearly from 0 to `score`, or has the scores of a list."""
    count = steps // EVAL_INTERVAL_STEPS + 1
    scores = list(np.linspace(0, score, count)) if np.isscalar(score) else list(score)
    steps = (len(scores) - 1) * EVAL_INTERVAL_STEPS
    logit_stds = [0.5] * len(scores) if logit_stds is None else list(logit_stds)
    return Trace(rate, [loss] * steps, [loss] * len(scores), logit_stds, scores)


def own(score, **others) -> Trace:
    return trace(1e-3, score, MEDIUM_RUN_STEPS, **others)


def good_rates(*arguments, **options) -> tuple[float, ...]:
    return tuple(run.rate for run in good_runs(*arguments, **options))


@pytest.mark.parametrize(
    ("starts", "smaller", "wanted"),
    [
        ((0.1, 0.2), 0.3, [1e-3, 1e-4]),
        ((0.1, 0.0), 0.05, [1e-4]),  # it learns at the smaller learning rate whatever its weights
        ((0.1, 0.0), 0.0, [1e-3]),  # it learns, and nowhere better
    ],
)
def test_good_runs_from_other_weights_at_noise_level_prefers_other_rates(starts, smaller, wanted):
    mine = dataclasses.replace(own(0.3), other_starts=starts)
    assert good_rates(mine, [trace(1e-4, np.full(5, smaller))]) == tuple(wanted)


@pytest.mark.parametrize(
    ("mine", "others", "wanted"),
    [
        (0.3, {}, [1e-3]),
        (0.0, {}, []),
        (0.0, {1e-2: 0.05, 1e-1: 0.2}, [1e-1, 1e-2]),
        (0.2, {1e-4: 0.3, 1e-2: 0.9}, [1e-3, 1e-2, 1e-4]),  # others score higher, but it learns
        (np.full(41, 0.2), {1e-4: np.linspace(0, 0.35, 41)}, [1e-3, 1e-4]),  # after equally many steps
        (
            np.full(41, 0.2),
            {1e-4: np.linspace(0, 0.45, 41)},
            [1e-4],
        ),  # plateaued below half the score of the smaller learning rate
        (0.2, {1e-4: np.linspace(0, 0.45, 41)}, [1e-3, 1e-4]),  # it still improves
        (0.05, {1e-2: 0.02}, [1e-3]),  # hard data
        (0.05, {1e-2: 0.04}, [1e-2]),  # another learning rate scores nearly as high in a short run
        (np.full(41, 0.05), {}, []),  # constant from the start
    ],
)
def test_good_runs_scores_determine_learning_rates(mine, others, wanted):
    assert good_rates(own(mine), [trace(rate, score) for rate, score in others.items()]) == tuple(wanted)


@given(st.floats(2e-7, 1e-2), st.floats(-0.01, 0.01))
def test_needs_longer_run_growing_logit_std_is_true(start, growth):
    """growth: of the logarithm of the logit standard deviation per step."""
    logit_stds = start * np.exp(growth * np.arange(0, MEDIUM_RUN_STEPS + 1, EVAL_INTERVAL_STEPS))
    plateau = own(0.0, logit_stds=logit_stds)
    assert needs_longer_run(plateau, []) == (
        logit_stds[-1] > max(1.15 * logit_stds[MEDIUM_RUN_STEPS // EVAL_INTERVAL_STEPS // 2], 1.4e-7)
    )
    assert not good_rates(plateau, [])  # growth alone is not learning


def test_needs_longer_run_above_noise_unless_dominated():
    assert needs_longer_run(own(0.04), [trace(1e-2, 0.15)]) and not needs_longer_run(
        own(0.04), [trace(1e-2, 0.3)]
    )
    assert not needs_longer_run(own(0.01), []) and not needs_longer_run(own(0.04, loss=float("nan")), [])
    assert good_rates(own(0.04), []) and not good_rates(own(0.04), [], allow_extension=False)


@pytest.mark.parametrize(("probability", "longer"), [(0.01, False), (0.03, True), (math.nan, True)])
def test_needs_longer_run_hopeless_probability_is_false(probability, longer):
    assert needs_longer_run(dataclasses.replace(own(0.04), probability=probability), []) == longer


def test_needs_longer_run_logit_std_not_growing_is_false():
    count = MEDIUM_RUN_STEPS // EVAL_INTERVAL_STEPS + 1
    assert not needs_longer_run(own(0.0, logit_stds=np.geomspace(1e-3, 1e-6, count)), [])
    assert not needs_longer_run(own(0.0, logit_stds=np.full(count, 1e-3)), [])
    assert not needs_longer_run(own(0.0, logit_stds=np.zeros(count)), [])
    assert not needs_longer_run(own(0.0, logit_stds=[*np.full(count - 1, 1e-16), 3e-9]), [])  # rounding


def test_good_runs_diverged_run_is_excluded():
    broken = own(0.5, loss=float("nan"))
    assert (
        good_rates(broken, []) == ()
        and not needs_longer_run(broken, [])
        and not learns_within_short_run(broken)
    )
    assert good_rates(broken, [trace(1e-4, 0.2)]) == (1e-4,)


def test_smaller_rate_is_ahead_compares_equal_steps():
    late = [0, 0, 0, 0.1, 0.1, 0.4]
    assert smaller_rate_is_ahead(trace(1e-3, late), trace(1e-4, [0, 0, 0.05, 0.1, 0.12]))
    assert not smaller_rate_is_ahead(trace(1e-3, late), trace(1e-4, [0, 0, 0.05, 0.08, 0.1]))
    assert smaller_rate_is_ahead(trace(1e-3, [0, 0.1, 0.1]), trace(1e-4, [0, 0.1, 0.2, 0, 0]))
    assert not smaller_rate_is_ahead(trace(1e-3, late), trace(1e-4, [0, 0, 0.2, 0.2, 0.2], loss=float("nan")))


def test_has_learned_loss_above_chance_is_false():
    assert has_learned(own(0.3), CHANCE) and not has_learned(own(0.3, loss=5.0), CHANCE)
    assert not has_learned(own(0.09), CHANCE)


def test_learns_within_short_run_ignores_later_steps():
    assert (
        learns_within_short_run(trace(1e-3, 0.2))
        and not learns_within_short_run(own(0.1))
        and learns_within_short_run(own(0.5))
    )


def test_score_required_low_linear_baseline_lowers_it():
    assert score_required(0.7, 0.01) == score_required(math.nan, 0.01) == SUFFICIENT_SCORE
    assert score_required(0.16, 0.01) == SUFFICIENT_SCORE and score_required(0.09, 0.01) == pytest.approx(
        0.06
    )
    assert score_required(0.0, 0.01) == MIN_REQUIRED_SCORE and score_required(0.0, 0.06) == 0.06
    assert good_rates(own(np.full(41, 0.05)), [], required_score=0.04) and not good_rates(
        own(np.full(41, 0.05)), []
    )
    assert has_learned(own(0.05), CHANCE, 0.04) and not has_learned(own(0.05), CHANCE)


@given(st.floats(0, 0.5), st.floats(0, 2))
def test_is_above_noise_scores_below_null_are_false(score, null_score_p999):
    one = Trace(1e-3, [1.0] * 48, [1.0] * 5, [1.0] * 5, [score] * 5, null_score_p999)
    assert is_above_noise(one) == learns_within_short_run(one)
    assert is_above_noise(one) == (score > max(MIN_DETECTABLE_SCORE, min(null_score_p999, SUFFICIENT_SCORE)))
