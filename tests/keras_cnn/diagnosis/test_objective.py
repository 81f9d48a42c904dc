"""The chance loss, and the standard deviation of logits."""

from functools import cache

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import logit_std, objective_of


@cache
def softmax_model(classes: int) -> keras.Model:
    return keras.Sequential([keras.Input((2,)), layers.Dense(classes, activation="softmax")])


@given(st.lists(st.integers(1, 50), min_size=3, max_size=10))
@settings(max_examples=6, deadline=None)
def test_objective_chance_equals_label_entropy(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    shares = np.array(counts) / sum(counts)
    sample = Sample(np.zeros((len(y), 2), "float32"), y, 64)
    wanted = -(shares * np.log(shares)).sum()
    assert objective_of(softmax_model(len(counts)), sample).chance == pytest.approx(wanted, rel=1e-4)


@given(st.integers(0, 1000), st.floats(0.1, 10))
@settings(max_examples=30, deadline=None)
def test_logit_std_ignores_bias_and_scales(seed, scale):
    random = np.random.default_rng(seed)
    logits, bias = random.normal(size=(20, 5)), random.normal(size=5)
    assert logit_std(logits + bias, "linear") == pytest.approx(logit_std(logits, "linear"))
    assert logit_std(scale * logits, "linear") == pytest.approx(scale * logit_std(logits, "linear"))
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    assert logit_std(probabilities, "softmax") == pytest.approx(logit_std(logits, "linear"), rel=1e-5)
