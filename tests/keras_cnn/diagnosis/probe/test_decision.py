"""From traces to the rates at which a net trains."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cnn.diagnosis.probe.decision import (
    ENOUGH,
    LEAST,
    MOVED,
    at_once,
    doubtful,
    enough,
    good_rates,
    overshoots,
    settled,
    trains,
)
from keras_cnn.diagnosis.probe.probe import LONG, PIECE, STEPS, Trace

CHANCE = math.log(10)


def trace(rate: float, told, steps: int = STEPS, spreads=None, loss: float = 1.0) -> Trace:
    """told: at the end, grown evenly from 0, or at every measurement."""
    told = list(np.linspace(0, told, steps // PIECE + 1)) if np.isscalar(told) else list(told)
    steps = (len(told) - 1) * PIECE
    spreads = [0.5] * len(told) if spreads is None else list(spreads)
    return Trace(rate, [loss] * steps, [loss] * len(told), spreads, told)


def own(told, **others) -> Trace:
    return trace(1e-3, told, LONG, **others)


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
    spreads = start * np.exp(growth * np.arange(0, LONG + 1, PIECE))
    standing = own(0.0, spreads=spreads)
    assert doubtful(standing, []) == (spreads[-1] > max(1.15 * spreads[LONG // PIECE // 2], 1.4e-7))
    assert not good_rates(standing, [])  # to grow is not yet to learn


def test_a_net_that_tells_something_is_looked_at_longer_unless_it_waits_too_long():
    assert doubtful(own(0.04), [trace(1e-2, 0.15)]) and not doubtful(own(0.04), [trace(1e-2, 0.3)])
    assert not doubtful(own(0.01), []) and not doubtful(own(0.04, loss=float("nan")), [])
    assert good_rates(own(0.04), []) and not good_rates(own(0.04), [], patience=False)


def test_a_signal_that_fades_or_stands_leaves_no_doubt():
    count = LONG // PIECE + 1
    assert not doubtful(own(0.0, spreads=np.geomspace(1e-3, 1e-6, count)), [])
    assert not doubtful(own(0.0, spreads=np.full(count, 1e-3)), [])
    assert not doubtful(own(0.0, spreads=np.zeros(count)), [])
    assert not doubtful(own(0.0, spreads=[*np.full(count - 1, 1e-16), 3e-9]), [])  # of rounding


def test_numbers_that_are_not_finite_are_nothing_learnt():
    broken = own(0.5, loss=float("nan"))
    assert good_rates(broken, []) == () and not doubtful(broken, []) and not at_once(broken)
    assert good_rates(broken, [trace(1e-4, 0.2)]) == (1e-4,)


def test_a_smaller_rate_is_ahead_if_it_tells_more_after_as_many_steps():
    late = [0, 0, 0, 0.1, 0.1, 0.4]
    assert overshoots(trace(1e-3, late), trace(1e-4, [0, 0, 0.05, 0.1, 0.12]))
    assert not overshoots(trace(1e-3, late), trace(1e-4, [0, 0, 0.05, 0.08, 0.1]))
    assert overshoots(trace(1e-3, [0, 0.1, 0.1]), trace(1e-4, [0, 0.1, 0.2, 0, 0]))
    assert not overshoots(trace(1e-3, late), trace(1e-4, [0, 0, 0.2, 0.2, 0.2], loss=float("nan")))


def test_a_net_whose_loss_lies_above_chance_is_tried_at_other_rates_too():
    assert settled(own(0.3), CHANCE) and not settled(own(0.3, loss=5.0), CHANCE)
    assert not settled(own(0.09), CHANCE)


def test_a_slow_start_is_one_that_tells_nothing_in_48_steps():
    assert at_once(trace(1e-3, 0.2)) and not at_once(own(0.1)) and at_once(own(0.5))


def test_at_most_a_tenth_is_asked_and_less_where_a_linear_classifier_tells_less():
    assert enough(0.7, 0.01) == enough(math.nan, 0.01) == ENOUGH
    assert enough(0.16, 0.01) == ENOUGH and enough(0.09, 0.01) == pytest.approx(0.06)
    assert enough(0.0, 0.01) == LEAST and enough(0.0, 0.06) == 0.06
    assert good_rates(own(np.full(41, 0.05)), [], asked=0.04) and not good_rates(own(np.full(41, 0.05)), [])
    assert settled(own(0.05), CHANCE, 0.04) and not settled(own(0.05), CHANCE)


@given(st.floats(0, 0.5), st.floats(0, 2))
def test_what_may_be_chance_is_nothing_learnt(told, by_chance):
    one = Trace(1e-3, [1.0] * 48, [1.0] * 5, [1.0] * 5, [told] * 5, by_chance)
    assert trains(one) == at_once(one)
    assert trains(one) == (told > max(MOVED, min(by_chance, ENOUGH)))
