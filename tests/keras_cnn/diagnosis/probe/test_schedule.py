"""Which rates are probed, and for how long."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from keras_cnn.diagnosis.probe.decision import DOUBT_FACTOR, SUFFICIENT_SCORE
from keras_cnn.diagnosis.probe.probe import (
    EVAL_INTERVAL_STEPS,
    LONG_RUN_STEPS,
    MEDIUM_RUN_STEPS,
    SHORT_RUN_STEPS,
    Trace,
)
from keras_cnn.diagnosis.probe.schedule import near, probe_learning_rates

CHANCE = math.log(10)


class Recorded:
    """What a probe would measure. told: at the end of 480 steps of a rate; a longer look goes on as steadily."""

    def __init__(self, told: dict, descends: bool = False):
        self.scores, self.descends, self.runs, self.required_score = told, descends, [], []

    def run(self, rate, steps=SHORT_RUN_STEPS, target_score=1.0):
        self.required_score.append(target_score)
        self.runs.append((float(f"{rate:.3g}"), steps))
        count = steps // EVAL_INTERVAL_STEPS + 1
        told = self.scores.get(self.runs[-1][0], 0.0)
        told = (
            list(told[:count])
            if np.ndim(told)
            else list(np.arange(count) * told * EVAL_INTERVAL_STEPS / MEDIUM_RUN_STEPS)
        )
        return Trace(rate, [1.0] * steps, [1.0] * count, [0.1] * count, told)


def looked(told, rate=1e-3, allow_extension=True, descends=False):
    probe = Recorded(told, descends)
    given = {"raise_threshold": False, "allow_extension": allow_extension}
    own, others = probe_learning_rates(
        probe, SimpleNamespace(rate=rate, chance=CHANCE), SUFFICIENT_SCORE, **given
    )
    assert own.rate == rate and rate not in [trace.rate for trace in others]
    return probe.runs


def test_of_a_net_that_learns_one_smaller_rate_is_tried():
    assert looked({1e-3: 0.3}) == [(1e-3, MEDIUM_RUN_STEPS), (1e-4, SHORT_RUN_STEPS)]


def test_both_go_on_where_the_smaller_rate_is_ahead():
    told = {1e-3: 0.3, 1e-4: np.linspace(0.1, 0.5, 41)}
    assert looked(told) == [
        (1e-3, MEDIUM_RUN_STEPS),
        (1e-4, SHORT_RUN_STEPS),
        (1e-3, MEDIUM_RUN_STEPS),
        (1e-4, MEDIUM_RUN_STEPS),
    ]


def test_where_the_rate_is_zero_usual_ones_are_tried():
    rates = [rate for rate, steps in looked({}, 0.0) if steps == SHORT_RUN_STEPS]
    assert rates == [1e-3, 1e-2, 1e-4] and near(1e-3, 2e-3) and not near(0.0, 1e-9)


@pytest.mark.parametrize(("descends", "largest"), [(False, 1e-2), (True, 1e-1)])
@pytest.mark.parametrize("rate", [1e-5, 1e-3, 0.05, 3.0])
def test_other_rates_are_tried_apart_from_each_other_and_up_to_usual_ones(rate, descends, largest):
    rates = [rate for rate, steps in looked({}, rate, descends=descends) if steps == SHORT_RUN_STEPS]
    assert 2 <= len(rates) <= 8 and max(rates) <= max(rate, largest)
    assert all(max(a / b, b / a) > 2 for a in [rate, *rates] for b in rates if a is not b)


def test_a_net_that_may_yet_learn_is_given_more_steps():
    assert looked({1e-3: 0.05})[-1] == (1e-3, LONG_RUN_STEPS)
    for hopeless in ({}, {1e-3: 0.01}, {1e-3: 0.05, 1e-2: np.linspace(0, 0.4, 5)}):
        assert LONG_RUN_STEPS not in [steps for _, steps in looked(hopeless)]
    assert LONG_RUN_STEPS not in [steps for _, steps in looked({1e-3: 0.05}, allow_extension=False)]


@pytest.mark.parametrize("required_score", [0.03, 0.1])
def test_where_images_are_hard_to_tell_apart_less_is_asked_and_of_a_doubted_net_twice_as_much(required_score):
    for raise_threshold in (False, True):
        probe = Recorded({1e-3: 0.05})
        given = {"raise_threshold": raise_threshold, "allow_extension": not raise_threshold}
        _, others = probe_learning_rates(
            probe, SimpleNamespace(rate=1e-3, chance=CHANCE), required_score, **given
        )
        assert probe.required_score[0] == required_score * (DOUBT_FACTOR if raise_threshold else 1)
        learned = required_score < 0.05  # then none but one smaller rate is tried
        assert (len(others) == 1) == learned
