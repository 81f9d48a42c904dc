"""Which learning rates are probed, and for how many steps."""

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


class FakeProbe:
    """A probe with given scores, learning rate -> score after 480 steps (linear growth) or list of scores."""

    def __init__(self, scores: dict, descends: bool = False):
        self.scores, self.descends, self.runs, self.targets = scores, descends, [], []

    def run(self, rate, steps=SHORT_RUN_STEPS, target_score=1.0):
        self.targets.append(target_score)
        self.runs.append((float(f"{rate:.3g}"), steps))
        count = steps // EVAL_INTERVAL_STEPS + 1
        scores = self.scores.get(self.runs[-1][0], 0.0)
        scores = (
            list(scores[:count])
            if np.ndim(scores)
            else list(np.arange(count) * scores * EVAL_INTERVAL_STEPS / MEDIUM_RUN_STEPS)
        )
        return Trace(rate, [1.0] * steps, [1.0] * count, [0.1] * count, scores)


def probed_runs(scores, rate=1e-3, allow_extension=True, descends=False):
    probe = FakeProbe(scores, descends)
    given = {"raise_threshold": False, "allow_extension": allow_extension}
    own, others = probe_learning_rates(
        probe, SimpleNamespace(rate=rate, chance=CHANCE), SUFFICIENT_SCORE, **given
    )
    assert own.rate == rate and rate not in [trace.rate for trace in others]
    return probe.runs


def test_probe_learning_rates_learning_model_probes_one_smaller():
    assert probed_runs({1e-3: 0.3}) == [(1e-3, MEDIUM_RUN_STEPS), (1e-4, SHORT_RUN_STEPS)]


def test_probe_learning_rates_smaller_ahead_extends_both():
    scores = {1e-3: 0.3, 1e-4: np.linspace(0.1, 0.5, 41)}
    assert probed_runs(scores) == [
        (1e-3, MEDIUM_RUN_STEPS),
        (1e-4, SHORT_RUN_STEPS),
        (1e-3, MEDIUM_RUN_STEPS),
        (1e-4, MEDIUM_RUN_STEPS),
    ]


def test_probe_learning_rates_zero_rate_probes_usual_ones():
    rates = [rate for rate, steps in probed_runs({}, 0.0) if steps == SHORT_RUN_STEPS]
    assert rates == [1e-3, 1e-2, 1e-4] and near(1e-3, 2e-3) and not near(0.0, 1e-9)


@pytest.mark.parametrize(("descends", "largest"), [(False, 1e-2), (True, 1e-1)])
@pytest.mark.parametrize("rate", [1e-5, 1e-3, 0.05, 3.0])
def test_probe_learning_rates_are_spaced_and_bounded(rate, descends, largest):
    rates = [rate for rate, steps in probed_runs({}, rate, descends=descends) if steps == SHORT_RUN_STEPS]
    assert 2 <= len(rates) <= 8 and max(rates) <= max(rate, largest)
    assert all(max(a / b, b / a) > 2 for a in [rate, *rates] for b in rates if a is not b)


def test_probe_learning_rates_above_noise_is_extended():
    assert probed_runs({1e-3: 0.05})[-1] == (1e-3, LONG_RUN_STEPS)
    for scores in ({}, {1e-3: 0.01}, {1e-3: 0.05, 1e-2: np.linspace(0, 0.4, 5)}):
        assert LONG_RUN_STEPS not in [steps for _, steps in probed_runs(scores)]
    assert LONG_RUN_STEPS not in [steps for _, steps in probed_runs({1e-3: 0.05}, allow_extension=False)]


@pytest.mark.parametrize("required_score", [0.03, 0.1])
def test_probe_learning_rates_raise_threshold_doubles_target(required_score):
    for raise_threshold in (False, True):
        probe = FakeProbe({1e-3: 0.05})
        given = {"raise_threshold": raise_threshold, "allow_extension": not raise_threshold}
        _, others = probe_learning_rates(
            probe, SimpleNamespace(rate=1e-3, chance=CHANCE), required_score, **given
        )
        assert probe.targets[0] == required_score * (DOUBT_FACTOR if raise_threshold else 1)
        learned = required_score < 0.05  # then only one smaller learning rate is probed
        assert (len(others) == 1) == learned
