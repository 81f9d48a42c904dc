"""Which learning rates are probed, and for how many steps."""

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_cnn.diagnosis.probe.decision import DOUBT_FACTOR, SUFFICIENT_SCORE
from keras_cnn.diagnosis.probe.probe import (
    LONG_RUN_STEPS,
    MEDIUM_RUN_STEPS,
    SHORT_RUN_STEPS,
)
from keras_cnn.diagnosis.probe.rate_scale import ADAM, MOMENTUM, RateScale, rate_scale
from keras_cnn.diagnosis.probe.schedule import near, probe_learning_rates
from keras_cnn.diagnosis.probe.trace import EVAL_INTERVAL_STEPS, Trace

CHANCE = math.log(10)


class FakeProbe:
    """A probe with given scores, learning rate -> score after 480 steps (linear growth) or list of scores."""

    def __init__(
        self,
        scores: dict,
        scale: RateScale = ADAM,
        rate: float = 1e-3,
        scheduled: bool = False,
        other_weights: tuple = (),
    ):
        self.scores, self.scale, self.rate, self.follows_schedule = scores, scale, rate, scheduled
        self.other_weights = list(other_weights)
        self.runs, self.targets, self.allowed = [], [], 99

    @property
    def expired(self):
        return len(self.runs) >= self.allowed

    def run_own(self, steps, target_score=1.0):
        return self.run(self.rate, steps, target_score)

    def run_from_other_weights(self, steps, target_score, seed):
        if not self.other_weights:
            return None
        self.runs.append(("other weights", seed))
        return Trace(self.rate, [1.0] * steps, [1.0] * 3, [0.1] * 3, [self.other_weights.pop(0)] * 3)

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


def probed_runs(scores, rate=1e-3, allow_extension=True, scale=ADAM):
    probe = FakeProbe(scores, scale, rate)
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


@pytest.mark.parametrize(
    ("optimizer", "largest"),
    [
        ("Adam", 1e-2),
        ("RMSprop", 1e-2),
        ("Nadam", 1e-2),
        ("Lion", 1e-3),
        ("Adagrad", 0.3),
        ("Adadelta", 10.0),
        ("SGD", 0.3),
    ],
)
@pytest.mark.parametrize("rate", [1e-5, 1e-3, 0.05, 3.0])
def test_probe_learning_rates_are_spaced_and_bounded(rate, optimizer, largest):
    scale = rate_scale(getattr(keras.optimizers, optimizer)())
    assert scale.largest == largest
    rates = [rate for rate, steps in probed_runs({}, rate, scale=scale) if steps == SHORT_RUN_STEPS]
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


def test_probe_learning_rates_schedule_also_probes_constant_rate():
    probe = FakeProbe({}, scheduled=True)
    given = {"raise_threshold": False, "allow_extension": True}
    own, others = probe_learning_rates(
        probe, SimpleNamespace(rate=1e-3, chance=CHANCE), SUFFICIENT_SCORE, **given
    )
    assert own.rate == 1e-3 and others[0].rate == 1e-3 and probe.runs[1] == (1e-3, SHORT_RUN_STEPS)


def probed_from(other_weights, rate):
    probe = FakeProbe({rate: 0.3, rate / 10: 0.2}, rate=rate, other_weights=other_weights)
    objective, given = (
        SimpleNamespace(rate=rate, chance=CHANCE),
        {"raise_threshold": False, "allow_extension": True},
    )
    return *probe_learning_rates(probe, objective, SUFFICIENT_SCORE, **given), probe.runs


def test_probe_learning_rates_above_the_usual_one_trains_from_other_weights():
    own, others, runs = probed_from((0.2, 0.1), 1e-2)
    assert own.other_starts == (0.2, 0.1) and [run.rate for run in others] == [1e-3]
    assert runs[-2:] == [("other weights", 1), ("other weights", 2)]
    assert probed_from((0.2, 0.1), 1e-3)[0].other_starts == ()


def test_probe_learning_rates_failing_from_other_weights_probes_more_rates_once():
    own, others, _ = probed_from((0.0, 0.2), 1e-2)
    assert own.other_starts == (0.0,)
    rates = [run.rate for run in others]
    assert rates[0] == 1e-3 and len(rates) > 1 and len(set(rates)) == len(rates) and 1e-2 not in rates


def test_rate_scale_momentum_and_loss_scaling_are_seen():
    assert rate_scale(keras.optimizers.SGD(momentum=0.9)) == MOMENTUM
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Lion(1e-4))
    assert rate_scale(scaled).largest == 1e-3


@pytest.mark.parametrize("allowed", [1, 3])
def test_probe_learning_rates_end_when_the_time_is_over(allowed):
    probe = FakeProbe({1e-3: 0.05})
    probe.allowed = allowed
    own, others = probe_learning_rates(
        probe,
        SimpleNamespace(rate=1e-3, chance=CHANCE),
        SUFFICIENT_SCORE,
        raise_threshold=False,
        allow_extension=True,
    )
    assert len(probe.runs) == allowed == len(others) + 1 and len(own.losses) == MEDIUM_RUN_STEPS
