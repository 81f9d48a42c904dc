"""The probability that a model learns, from the first steps of a run."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cnn.diagnosis.probe.data import sample_of
from keras_cnn.diagnosis.probe.decision import HEALTHY, UNTRAINABLE
from keras_cnn.diagnosis.probe.objective import objective_of
from keras_cnn.diagnosis.probe.probability import (
    FILE,
    STEPS,
    Start,
    features,
    is_hopeless,
    learning_probability,
)
from keras_cnn.diagnosis.probe.probe import Probe
from keras_cnn.diagnosis.probe.trace import EVAL_INTERVAL_STEPS, Trace
from keras_cnn.diagnosis.report import text
from keras_cnn.diagnosis.result import Diagnosis
from tests.untrainable_nets import digits, net

CHANCE = math.log(10)
any_float = st.floats(allow_nan=True, allow_infinity=True)


def start(gradient=0.1, last=0.1, std=0.5, rate_ratio=1.0) -> Start:
    layers = [
        SimpleNamespace(ratio=ratio, std_over_images=std, correlation=0.1)
        for ratio in (gradient, (gradient + last) / 2, last)
    ]
    return Start(SimpleNamespace(kernels=layers), 0.2, CHANCE, rate_ratio)


def trace(scores, drops=None, stds=None) -> Trace:
    count = len(scores)
    held_out = [CHANCE * (1 - drop) for drop in drops or scores]
    return Trace(
        1e-3, [1.0] * EVAL_INTERVAL_STEPS * (count - 1), held_out, list(stds or [0.5] * count), list(scores)
    )


def test_learning_probability_has_coefficients_of_all_features_and_steps():
    models = json.loads(FILE.read_text())["models"]
    assert list(map(int, models)) == list(STEPS)
    for model in models.values():
        assert set(model["features"]) == set(features(start(), trace([0.0]), 0))


def test_learning_probability_is_the_logistic_function_of_standardized_features():
    model, run = json.loads(FILE.read_text())["models"]["48"], trace(np.linspace(0, 0.05, 6))
    values = features(start(), run, 48)
    logit = model["intercept"] + sum(
        weight * (values[name] - mean) / scale for name, (weight, mean, scale) in model["features"].items()
    )
    assert learning_probability(start(), run) == pytest.approx(1 / (1 + np.exp(-logit)))


def test_features_after_some_steps_ignore_later_ones():
    early, late = trace([0.0, 0.1, 0.2]), trace([0.0, 0.1, 0.2, 0.9, 0.9])
    assert features(start(), early, 24) == features(start(), late, 24) != features(start(), late, 48)


def test_learning_probability_separates_rising_from_flat_runs():
    learning = trace(np.linspace(0, 0.3, 5), stds=[0.3, 0.5, 0.8, 1.0, 1.2])
    flat = trace([0.0] * 11, stds=[1e-6] * 11)
    vanishing = start(gradient=1e-7, last=0.1, std=1e-6)
    assert learning_probability(start(), learning) > 0.9
    assert learning_probability(vanishing, flat) < 0.1 < learning_probability(start(), trace([0.0]))


@given(st.lists(any_float, min_size=11, max_size=11), any_float, any_float, st.floats(0, 1e6))
def test_learning_probability_of_any_numbers_is_a_probability(numbers, gradient, std, rate_ratio):
    run = replace(trace([0.0] * 11), scores=numbers, held_out=numbers, logit_stds=numbers)
    assert 0 <= learning_probability(start(gradient, gradient, std, rate_ratio), run) <= 1


def test_is_hopeless_needs_a_number():
    assert is_hopeless(0.01) and not is_hopeless(0.03) and not is_hopeless(math.nan)


@pytest.mark.parametrize(("probability", "steps"), [(0.01, 120), (0.5, 240)])
def test_probe_ends_the_own_run_where_the_probability_is_hopeless(probability, steps, monkeypatch, caplog):
    monkeypatch.setattr("keras_cnn.diagnosis.probe.probe.learning_probability", lambda *_: probability)
    model, (x, y) = net(), digits()
    sample = sample_of((x, y), 256)
    caplog.set_level("INFO")
    probe = Probe(model, sample, objective_of(model, sample), start=start())
    found = probe.run_own(240)
    assert len(found.losses) == steps
    assert found.probability == probability if steps == 120 else math.isnan(found.probability)
    probe.run_own(24)
    texts = ["before the first step", *(f"after {count} steps, score" for count in STEPS[1:])]
    assert [caplog.text.count(text) for text in texts] == [1] * 5  # also of several runs
    assert len(probe.run(1e-3, 132).losses) == 132  # a run at another rate is never ended


@pytest.mark.parametrize("verdict", [HEALTHY, UNTRAINABLE])
def test_text_names_the_probability_only_where_the_model_has_not_learned(verdict):
    own = replace(trace([0.0] * 11), probability=0.012)
    shown = text(Diagnosis(verdict, 1e-3, (), [], traces=[own]))
    assert ("probability that longer training helps at 1.0e-03: 1%" in shown) == (verdict == UNTRAINABLE)
    assert "probability" not in text(Diagnosis(verdict, 1e-3, (), [], traces=[trace([0.0] * 41)]))
