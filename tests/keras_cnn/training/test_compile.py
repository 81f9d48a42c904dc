"""Optimizers, schedules, and what does not decay."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.models.build import build_model
from keras_cnn.models.spec import ModelSpec
from keras_cnn.task import SEGMENTATION
from keras_cnn.training.compile import (
    LOSS_FUNCTIONS,
    accuracy,
    compile_model,
    cross_entropy,
    dice,
    learning_rate,
    make_optimizer,
)
from keras_cnn.training.config import OPTIMIZERS, SCHEDULES, TrainSettings


def rates(settings: TrainSettings, steps: int) -> list[float]:
    schedule = learning_rate(settings, steps)
    return [float(schedule(step)) for step in range(steps + 1)]


def test_cosine_warms_up_in_a_tenth_and_ends_at_zero():
    values = rates(TrainSettings(learning_rate=0.5, schedule="cosine"), 100)
    assert np.argmax(values) == 10 and values[10] == pytest.approx(0.5)
    assert values[0] > 0
    assert np.all(np.diff(values[:11]) > 0) and np.all(np.diff(values[10:]) <= 0)
    assert values[100] == pytest.approx(0, abs=1e-6)


def test_one_cycle_starts_at_a_twenty_fifth_and_peaks_after_three_tenths():
    values = rates(TrainSettings(learning_rate=0.5), 100)
    assert np.argmax(values) == 30 and values[30] == pytest.approx(0.5)
    assert 0.5 / 25 < values[0] < 0.5 / 10
    assert values[100] == pytest.approx(0, abs=1e-6)


def test_steps_divide_by_ten_at_a_half_and_three_quarters():
    values = rates(TrainSettings(learning_rate=0.5, schedule="step"), 100)
    assert [values[step] for step in (0, 50, 51, 75, 76, 100)] == pytest.approx(
        [0.5, 0.5, 0.05, 0.05, 0.005, 0.005]
    )


@pytest.mark.parametrize("schedule", [name for name in SCHEDULES if name != "constant"])
def test_one_step_is_enough_for_a_schedule(schedule):
    assert all(np.isfinite(rates(TrainSettings(schedule=schedule), 1)))


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_compile_model_spreads_the_schedule_over_all_epochs(schedule):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    compile_model(model, TrainSettings(learning_rate=0.5, schedule=schedule, epochs=4), steps_per_epoch=25)
    found = [float(model.optimizer._learning_rate(step)) for step in range(101)]
    assert found == pytest.approx(rates(TrainSettings(learning_rate=0.5, schedule=schedule), 100))
    assert min(found[:100]) > 0 and found[100] == pytest.approx(0, abs=1e-6)


def test_the_gradient_of_all_weights_is_cut_together():
    settings = TrainSettings(
        optimizer="sgd", weight_decay=0, learning_rate=1.0, schedule="constant", global_clipnorm=0.1
    )
    variables = [keras.Variable(np.zeros(2)), keras.Variable(np.zeros(1))]
    make_optimizer(settings, 1.0).apply([np.array([3.0, 0.0]), np.array([4.0])], variables)
    # Nesterov's first step is 1.9 times the gradient
    np.testing.assert_allclose(
        np.concatenate([v.numpy() for v in variables]), [-0.06 * 1.9, 0, -0.08 * 1.9], rtol=1e-5
    )


def test_classes_and_distributions_mean_the_same():
    random = np.random.default_rng(0)
    predicted = random.dirichlet([1, 1, 1], 20).astype(np.float32)
    labels = random.integers(0, 3, 20)
    one_hot = np.eye(3, dtype=np.float32)[labels]
    np.testing.assert_allclose(cross_entropy(labels, predicted), cross_entropy(one_hot, predicted), rtol=1e-5)
    np.testing.assert_array_equal(accuracy(labels, predicted), accuracy(one_hot, predicted))
    np.testing.assert_allclose(
        cross_entropy(labels, predicted), -np.log(predicted[np.arange(20), labels]), rtol=1e-5
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_only_kernels_decay(name):
    """With gradients of zero, a step shows the weight decay alone."""
    settings = TrainSettings(
        optimizer=name, weight_decay=0.1, learning_rate=0.1, schedule="constant", epochs=1
    )
    model = build_model(
        ModelSpec("vgg", (8, 8, 1), 2, normalization="none", options={"blocks": 1, "width": 2})
    )
    compile_model(model, settings, 1)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.optimizer.apply(
        [keras.ops.zeros_like(weight) for weight in model.trainable_weights], model.trainable_weights
    )
    for weight, old in zip(model.trainable_weights, before, strict=True):
        expected = 0.99 * old if weight.name == "kernel" else old
        np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-5, err_msg=weight.path)


def test_the_loss_of_extreme_logits_is_finite():
    """The softmax's logits reach the loss: log(0) does not occur, and the gradient does not vanish."""
    x = keras.Input((2,))
    model = keras.Model(x, keras.layers.Activation("softmax", dtype="float32")(x))
    compile_model(model, TrainSettings(), 1)
    predicted = model(np.array([[-200.0, 200.0]], np.float32))
    for labels in (np.array([0]), np.array([[1.0, 0.0]], np.float32)):
        assert float(model.compute_loss(y=tf.constant(labels), y_pred=predicted)) == pytest.approx(400)


def test_dice_of_masks_by_hand():
    """Two pixels of class 0 and two of class 1, of which the net is sure by 0.9, 0.8, 0.6 and 0.5."""
    truth = np.array([[[0, 0], [1, 1]]], np.uint8)
    right = np.array([[[0.9, 0.8], [0.6, 0.5]]], np.float32)
    of_one = np.where(truth == 1, right, 1 - right)
    found = dice(truth, np.stack([1 - of_one, of_one], axis=-1))
    zero, one = 2 * 1.7 / (2 + 1.7 + 0.9), 2 * 1.1 / (2 + 1.1 + 0.3)
    np.testing.assert_allclose(found, [1 - (zero + one) / 2], rtol=1e-5)


def test_losses_of_masks_fall_as_predictions_become_right():
    truth = np.random.default_rng(0).integers(0, 3, (2, 4, 5)).astype(np.uint8)
    exact = np.eye(3, dtype=np.float32)[truth]
    for loss in (LOSS_FUNCTIONS[name] for name in SEGMENTATION.losses):
        values = [np.mean(loss(truth, share * exact + (1 - share) / 3)) for share in (0, 0.5, 0.9, 1)]
        assert np.all(np.diff(values) < 0) and values[-1] == pytest.approx(0, abs=1e-5)
        shares = exact.copy()  # distributions, as smoothing makes them
        np.testing.assert_allclose(loss(shares, exact), loss(truth, exact), atol=1e-5)
    both = LOSS_FUNCTIONS["cross_entropy+dice"](truth, 0.8 * exact + 0.2 / 3)
    parts = np.mean(cross_entropy(truth, 0.8 * exact + 0.2 / 3), axis=(1, 2)) + dice(
        truth, 0.8 * exact + 0.2 / 3
    )
    np.testing.assert_allclose(both, parts, rtol=1e-6)
