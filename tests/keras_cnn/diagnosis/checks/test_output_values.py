"""Outputs and losses whose code is unknown are judged by their values."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, losses, ops

from keras_cnn.diagnosis.checks.output_values import expects_logits, value_findings
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import measured_activation, objective_of
from tests.untrainable_nets import digits


def ending_in(*last, loss="sparse_categorical_crossentropy", width=10) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((16, 16, 1)), layers.Flatten(), layers.Dense(width), *last])
    model.compile("adam", loss)
    return model


def names(model: keras.Model, one_hot: bool = False) -> list[str]:
    x, y = digits()
    y = keras.utils.to_categorical(y, 10) if one_hot else y
    return [finding.name for finding in value_findings(model, Sample(x, y, 64))]


def custom_of_logits(y, outputs):
    return losses.sparse_categorical_crossentropy(y, outputs, from_logits=True)


def tensorflow_loss_of_logits(y, outputs):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(tf.reshape(y, [-1]), tf.int32), outputs)


def log_of(y, outputs):
    chosen = ops.take_along_axis(outputs, ops.cast(ops.reshape(y, (-1, 1)), "int32"), axis=-1)
    return -ops.log(chosen[:, 0])


def softmax_lambda() -> layers.Layer:
    return layers.Lambda(lambda logits: ops.softmax(logits))


def sigmoid_lambda() -> layers.Layer:
    return layers.Lambda(lambda logits: ops.sigmoid(logits))


@pytest.mark.parametrize(
    ("last", "loss", "found"),
    [
        (layers.Softmax, "sparse_categorical_crossentropy", []),
        (layers.Softmax, custom_of_logits, ["logits_expected"]),
        (layers.Softmax, tensorflow_loss_of_logits, ["logits_expected"]),
        (softmax_lambda, losses.SparseCategoricalCrossentropy(from_logits=True), ["logits_expected"]),
        (softmax_lambda, "sparse_categorical_crossentropy", []),
        (layers.Softmax, log_of, ["loss_not_finite_at_bounds"]),
        (
            sigmoid_lambda,
            "sparse_categorical_crossentropy",
            ["sigmoid_for_classes"],
        ),
    ],
)
def test_value_findings_judge_values(last, loss, found):
    assert names(ending_in(last(), loss=loss)) == found


@pytest.mark.parametrize(
    "loss", ["categorical_crossentropy", "kl_divergence", "mse", "categorical_focal_crossentropy"]
)
def test_value_findings_of_keras_losses_are_none(loss):
    assert names(ending_in(layers.Softmax(), loss=loss), one_hot=True) == []


def test_softmax_over_another_axis_than_the_classes_is_found():
    def model(axis):
        built = keras.Sequential([keras.Input((16, 16, 1)), layers.Conv2D(3, 1), layers.Softmax(axis=axis)])
        built.compile("adam", "sparse_categorical_crossentropy")
        return built

    x = digits()[0]
    sample = Sample(x, np.zeros(x.shape[:3], "int32"), 64)
    assert [one.name for one in value_findings(model(-1), sample)] == []
    (found,) = value_findings(model(1), sample)
    assert found.name == "softmax_wrong_axis" and found.numbers["axis"] == 1


def test_expects_logits_is_decided_by_the_loss():
    y, shape = digits()[1][:16], (16, 10)
    assert expects_logits(losses.SparseCategoricalCrossentropy(from_logits=True), y, shape)
    assert not expects_logits(losses.SparseCategoricalCrossentropy(), y, shape)
    assert not expects_logits(lambda y, outputs: ops.mean(0 * outputs), y, shape)  # constant


def test_softmax_of_an_unknown_layer_is_recognized():
    x = digits()[0]
    assert measured_activation(ending_in(softmax_lambda()), x) == "softmax"
    assert measured_activation(ending_in(), x) == "linear"


def test_penalties_do_not_count_in_the_loss_that_is_compared_with_chance():
    model = keras.Sequential(
        [keras.Input((16, 16, 1)), layers.Flatten(), layers.Dense(10, "softmax", kernel_regularizer="l2")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    objective = objective_of(model, Sample(*digits(), 64))
    assert objective.chance == pytest.approx(np.log(10), abs=0.02) and objective.uniform == pytest.approx(
        np.log(10)
    )


@pytest.mark.parametrize(("loss", "confidence"), [(custom_of_logits, 0.1), (tensorflow_loss_of_logits, 0.9)])
def test_probabilities_for_a_loss_of_logits_matter_only_where_the_loss_gets_them(loss, confidence):
    """Keras's own losses compute with the values before a softmax."""
    (found,) = value_findings(ending_in(layers.Softmax(), loss=loss), Sample(*digits(), 64))
    assert found.confidence == confidence and ("no harm" in found.message) == (confidence < 0.5)


def test_loss_of_keras_for_too_few_outputs_is_not_called_infinite():
    assert names(ending_in(layers.Softmax(), width=1)) == []
