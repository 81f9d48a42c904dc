"""From traces to the rates at which a net trains."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cnn.diagnosis.probe.decision import (
    MIN_DETECTABLE_SCORE,
    MIN_REQUIRED_SCORE,
    SUFFICIENT_SCORE,
    good_rates,
    has_learned,
    is_above_noise,
    learns_within_short_run,
    needs_longer_run,
    score_required,
    smaller_rate_is_ahead,
)
from keras_cnn.diagnosis.probe.probe import EVAL_INTERVAL_STEPS, MEDIUM_RUN_STEPS, SHORT_RUN_STEPS, Trace

CHANCE = math.log(10)


def trace(rate: float, told, steps: int = SHORT_RUN_STEPS, logit_stds=None, loss: float = 1.0) -> Trace:
    """told: at the end, grown evenly from 0, or at every measurement."""
    told = list(np.linspace(0, told, steps // EVAL_INTERVAL_STEPS + 1)) if np.isscalar(told) else list(told)
    steps = (len(told) - 1) * EVAL_INTERVAL_STEPS
    logit_stds = [0.5] * len(told) if logit_stds is None else list(logit_stds)
    return Trace(rate, [loss] * steps, [loss] * len(told), logit_stds, told)


def own(told, **others) -> Trace:
    return trace(1e-3, told, MEDIUM_RUN_STEPS, **others)


@pytest.mark.parametrize(
    ("mine", "others", "wanted"),
    [
        (0.3, {}, [1e-3]),
        (0.0, {}, []),
        (0.0, {1e-2: 0.05, 1e-1: 0.2}, [1e-1, 1e-2]),
        (0.2, {1e-4: 0.3, 1e-2: 0.9}, [1e-3, 1e-2, 1e-4]),  # others are better, but it learns
        (np.full(41, 0.2), {1e-4: np.linspace(0, 0.35, 41)}, [1e-3, 1e-4]),  # in as many steps
        (
            np.full(41, 0.2),
            {1e-4: np.linspace(0, 0.45, 41)},
            [1e-4],
        ),  # less than half of what it could, and stands
        (0.2, {1e-4: np.linspace(0, 0.45, 41)}, [1e-3, 1e-4]),  # it goes on learning
        (0.05, {1e-2: 0.02}, [1e-3]),  # images that are hard to tell apart
        (0.05, {1e-2: 0.04}, [1e-2]),  # it waits too long
        (np.full(41, 0.05), {}, []),  # it has told that from the start
    ],
)
def test_rates_at_which_a_net_trains(mine, others, wanted):
    assert good_rates(own(mine), [trace(rate, told) for rate, told in others.items()]) == tuple(wanted)


@given(st.floats(2e-7, 1e-2), st.floats(-0.01, 0.01))
def test_a_net_on_a_plateau_is_looked_at_longer_while_its_signal_grows(start, growth):
    """growth: of the logarithm in each step."""
    logit_stds = start * np.exp(growth * np.arange(0, MEDIUM_RUN_STEPS + 1, EVAL_INTERVAL_STEPS))
    standing = own(0.0, logit_stds=logit_stds)
    assert needs_longer_run(standing, []) == (
        logit_stds[-1] > max(1.15 * logit_stds[MEDIUM_RUN_STEPS // EVAL_INTERVAL_STEPS // 2], 1.4e-7)
    )
    assert not good_rates(standing, [])  # to grow is not yet to learn


def test_a_net_that_tells_something_is_looked_at_longer_unless_it_waits_too_long():
    assert needs_longer_run(own(0.04), [trace(1e-2, 0.15)]) and not needs_longer_run(
        own(0.04), [trace(1e-2, 0.3)]
    )
    assert not needs_longer_run(own(0.01), []) and not needs_longer_run(own(0.04, loss=float("nan")), [])
    assert good_rates(own(0.04), []) and not good_rates(own(0.04), [], allow_extension=False)


def test_a_signal_that_fades_or_stands_leaves_no_doubt():
    count = MEDIUM_RUN_STEPS // EVAL_INTERVAL_STEPS + 1
    assert not needs_longer_run(own(0.0, logit_stds=np.geomspace(1e-3, 1e-6, count)), [])
    assert not needs_longer_run(own(0.0, logit_stds=np.full(count, 1e-3)), [])
    assert not needs_longer_run(own(0.0, logit_stds=np.zeros(count)), [])
    assert not needs_longer_run(own(0.0, logit_stds=[*np.full(count - 1, 1e-16), 3e-9]), [])  # of rounding


def test_numbers_that_are_not_finite_are_nothing_learnt():
    broken = own(0.5, loss=float("nan"))
    assert (
        good_rates(broken, []) == ()
        and not needs_longer_run(broken, [])
        and not learns_within_short_run(broken)
    )
    assert good_rates(broken, [trace(1e-4, 0.2)]) == (1e-4,)


def test_a_smaller_rate_is_ahead_if_it_tells_more_after_as_many_steps():
    late = [0, 0, 0, 0.1, 0.1, 0.4]
    assert smaller_rate_is_ahead(trace(1e-3, late), trace(1e-4, [0, 0, 0.05, 0.1, 0.12]))
    assert not smaller_rate_is_ahead(trace(1e-3, late), trace(1e-4, [0, 0, 0.05, 0.08, 0.1]))
    assert smaller_rate_is_ahead(trace(1e-3, [0, 0.1, 0.1]), trace(1e-4, [0, 0.1, 0.2, 0, 0]))
    assert not smaller_rate_is_ahead(trace(1e-3, late), trace(1e-4, [0, 0, 0.2, 0.2, 0.2], loss=float("nan")))


def test_a_net_whose_loss_lies_above_chance_is_tried_at_other_rates_too():
    assert has_learned(own(0.3), CHANCE) and not has_learned(own(0.3, loss=5.0), CHANCE)
    assert not has_learned(own(0.09), CHANCE)


def test_a_slow_start_is_one_that_tells_nothing_in_48_steps():
    assert (
        learns_within_short_run(trace(1e-3, 0.2))
        and not learns_within_short_run(own(0.1))
        and learns_within_short_run(own(0.5))
    )


def test_at_most_a_tenth_is_asked_and_less_where_a_linear_classifier_tells_less():
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
def test_what_may_be_chance_is_nothing_learnt(told, null_score_p999):
    one = Trace(1e-3, [1.0] * 48, [1.0] * 5, [1.0] * 5, [told] * 5, null_score_p999)
    assert is_above_noise(one) == learns_within_short_run(one)
    assert is_above_noise(one) == (told > max(MIN_DETECTABLE_SCORE, min(null_score_p999, SUFFICIENT_SCORE)))
