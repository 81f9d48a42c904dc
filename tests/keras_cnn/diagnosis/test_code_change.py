"""The instructions of a repair name what it changed, and nothing else."""

import keras
import pytest

from keras_cnn.diagnosis.probe.data import sample_of
from keras_cnn.diagnosis.probe.objective import objective_of
from keras_cnn.diagnosis.remedies.code_change import code_changes
from keras_cnn.diagnosis.remedies.context import RepairContext
from keras_cnn.diagnosis.remedies.remedies import REMEDIES
from tests.untrainable_nets import digits, net


@pytest.mark.parametrize(
    ("remedy", "expected"),
    [
        ("learning_rate", ["compile: optimizer=Adam(0.01)"]),
        ("gradient_clipping", ["compile: optimizer=Adam(0.001, global_clipnorm=1)"]),
        (
            "initialization",
            [
                "conv: kernel_initializer='GlorotUniform'",
                "dense1: kernel_initializer='GlorotUniform', bias_initializer='Zeros'",
                "compile: optimizer=Adam(0.01)",
            ],
        ),
        (
            "batch_normalization",
            [
                "conv: activation='linear'",
                "add BatchNormalization() after conv",
                "add Activation(activation='tanh') after conv_bn",
                "add BatchNormalization() after dense1",
                "compile: optimizer=Adam(0.01)",
            ],
        ),
        ("widen", ["conv: filters=32", "compile: optimizer=Adam(0.01)"]),
    ],
)
def test_code_changes_name_what_a_remedy_changed(remedy, expected):
    model, sample = net(depth=2, activation="tanh"), sample_of(digits(), 256)
    new = REMEDIES[remedy](RepairContext(model, sample, objective_of(model, sample), 1e-2))
    assert code_changes(model, new) == expected


def test_code_changes_show_the_scale_of_an_added_layer():
    model, (x, y) = net(), digits()
    sample = sample_of((4 * x + 8, y), 256)
    new = REMEDIES["input_normalization"](RepairContext(model, sample, objective_of(model, sample), 1e-3))
    (change,) = code_changes(model, new)
    assert change.startswith("add Rescaling(scale=[") and change.endswith("in front of the model")


def test_code_changes_of_a_copy_are_none():
    model = net()
    assert code_changes(model, net()) == [] and isinstance(model, keras.Model)
