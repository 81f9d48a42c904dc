"""The weights that are validated are the exponential moving average, and training goes on without it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.training.ema import AveragedWeights, averaged

MOMENTUM = 0.8


class Follow(keras.callbacks.Callback):
    """The weights after each step, and what they are while validation runs and after it."""

    def __init__(self):
        super().__init__()
        self.steps, self.validated = [], None

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(self.model.get_weights())

    def on_test_begin(self, logs=None):
        self.validated = self.model.get_weights()

    def on_epoch_end(self, epoch, logs=None):
        self.after = self.model.get_weights()


@pytest.mark.parametrize("devices", ["one_device", pytest.param("two_devices", marks=pytest.mark.slow)])
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_validation_uses_the_average_and_training_is_unchanged(devices, precision, request):
    strategy = request.getfixturevalue(devices)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(24, 3)).astype(np.float32), random.normal(size=(24, 1)).astype(np.float32)
    with strategy.scope():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, dtype=precision)])
        optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=MOMENTUM)
        if precision == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0)
        model.compile(optimizer, "mse")
    follow = Follow()
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(8, drop_remainder=True)
    model.fit(
        batches, validation_data=batches, shuffle=False, verbose=0, callbacks=[AveragedWeights(), follow]
    )
    average = follow.steps[0]
    for weights in follow.steps[1:]:
        average = [MOMENTUM * a + (1 - MOMENTUM) * w for a, w in zip(average, weights, strict=True)]
    for expected, found in zip(average, follow.validated, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    for before, after in zip(follow.steps[-1], follow.after, strict=True):
        np.testing.assert_array_equal(before, after)


def test_nothing_happens_without_an_average():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    with averaged(model):
        for weight, same in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, same)
