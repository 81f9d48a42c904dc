"""Optimizers, schedules, and what does not decay."""

import keras
import numpy as np
import pytest

from keras_cnn.models.build import build_model
from keras_cnn.models.spec import ModelSpec
from keras_cnn.training.objective import compile_model, make_optimizer
from keras_cnn.training.settings import OPTIMIZERS, TrainSettings


def rates(settings: TrainSettings, steps: int) -> list[float]:
    schedule = make_optimizer(settings, steps)._learning_rate
    return [float(schedule(step)) for step in range(steps + 1)]


def test_cosine_warms_up_in_a_tenth_and_ends_at_zero():
    values = rates(TrainSettings(learning_rate=0.5), 100)
    assert np.argmax(values) == 10 and values[10] == pytest.approx(0.5)
    assert values[0] > 0
    assert np.all(np.diff(values[:11]) > 0) and np.all(np.diff(values[10:]) <= 0)
    assert values[100] == pytest.approx(0, abs=1e-6)


def test_one_step_is_enough_for_a_schedule():
    assert all(np.isfinite(rates(TrainSettings(), 1)))


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
    loss = model.compute_loss(y=np.array([0]), y_pred=model(np.array([[-200.0, 200.0]], np.float32)))
    assert float(loss) == pytest.approx(400)
