"""Batch normalization's statistics fit the weights after every epoch, however short the run and high the rate."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.data.dataset import Split
from keras_cnn.data.pipeline import training_batches
from keras_cnn.data.sources import load
from keras_cnn.models.build import build_model
from keras_cnn.models.layers import BatchNormalization
from keras_cnn.models.spec import ModelSpec
from keras_cnn.training.batchnorm_statistics import BatchStatistics
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.train import train_epochs


class Gap(keras.callbacks.Callback):
    """After each epoch: accuracy on training images with batch statistics, minus that in inference mode."""

    def __init__(self, split: Split):
        super().__init__()
        self.split, self.gaps = split, []

    def on_epoch_end(self, epoch, logs=None):
        inference, before = self._accuracy(training=False), self.model.get_weights()
        with_batch_statistics = self._accuracy(training=True)  # which moves the moving ones
        self.model.set_weights(before)
        self.gaps.append(100 * (with_batch_statistics - inference))

    def _accuracy(self, training: bool) -> float:
        predicted = np.asarray(self.model(self.split.images, training=training)).argmax(1)
        return np.mean(predicted == self.split.labels)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "optimizer", "rate"), [("relu", "adamw", 2e-2), ("sigmoid", "sgd", 0.5)]
)
def test_inference_after_a_short_epoch_agrees_with_batch_statistics(
    activation, optimizer, rate, one_device, tmp_path
):
    """After each of three epochs of 60 steps; stock moving averages are 10 to 40 points off here."""
    digits = load("digits")
    settings = TrainSettings(
        options={"width": 8}, activation=activation, optimizer=optimizer, learning_rate=rate,
        schedule="constant", batch_size=21, epochs=3, precision="float32", augmentation="none", label_smoothing=0.0,
    )  # fmt: skip
    gap = Gap(Split(digits.train.images[:512], digits.train.labels[:512]))
    train_epochs(settings, digits, tmp_path, strategy=one_device, callbacks=[gap])
    assert len(gap.gaps) == 3
    assert np.max(np.abs(gap.gaps)) < 3, gap.gaps


def model_of(**changes) -> keras.Model:
    options = {"blocks": 1, "convolutions": 2, "width": 4, "dense": [8]}
    return build_model(ModelSpec("vgg", (16, 16, 3), 2, normalization="zero_one", options=options, **changes))


def estimate(model: keras.Model, split: Split, batch_size: int) -> None:
    callback = BatchStatistics(training_batches(split, batch_size, epochs=1))
    callback.set_model(model)
    callback.on_test_begin()


def test_statistics_are_those_of_the_images_without_dropout(data):
    """The first layer's are those of its inputs; a batch of all images gives them exactly."""
    model = model_of(dropout=0.5)
    estimate(model, data.train, len(data.train))
    for name, source in (("block1_bn1", "block1_conv1"), ("block1_bn2", "block1_conv2")):
        inputs = keras.Model(model.input, model.get_layer(source).output).predict(
            data.train.images, verbose=0
        )
        layer = model.get_layer(name)
        np.testing.assert_allclose(layer.moving_mean, inputs.mean((0, 1, 2)), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(layer.moving_variance, inputs.var((0, 1, 2)), rtol=1e-3)


def test_statistics_of_several_batches_are_those_of_all_their_images(data):
    """The means of the batches differ, so the variance exceeds the mean of the batches' variances."""
    model = model_of()
    shift = np.repeat(np.arange(10, dtype=np.float32), 16)[:, None, None, None]
    images = 0.1 * data.train.images[:160] + 20 * shift
    pairs = tf.data.Dataset.from_tensor_slices((images, data.train.labels[:160]))
    callback = BatchStatistics(pairs.batch(16, drop_remainder=True))
    callback.set_model(model)
    callback.on_test_begin()
    inputs = keras.Model(model.input, model.get_layer("block1_conv1").output).predict(images, verbose=0)
    layer = model.get_layer("block1_bn1")
    np.testing.assert_allclose(layer.moving_mean, inputs.mean((0, 1, 2)), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, inputs.var((0, 1, 2)), rtol=1e-3)


def test_estimating_changes_nothing_else(data):
    model = model_of(dropout=0.5)
    model.get_layer("fc1_bn").trainable = False
    before = {variable.path: variable.numpy() for variable in model.variables}
    estimate(model, data.train, 64)
    changed = {v.path for v in model.variables if not np.array_equal(v.numpy(), before[v.path])}
    assert changed == {f"block1_bn{i}/moving_{kind}" for i in (1, 2) for kind in ("mean", "variance")}
    assert not any(layer.observing for layer in model.layers if isinstance(layer, BatchNormalization))


@pytest.mark.slow
def test_two_devices_estimate_as_one(data, two_devices):
    alone = model_of()
    with two_devices.scope():
        together = model_of()
        together.set_weights(alone.get_weights())
    for model in (alone, together):
        model.compile("sgd", "sparse_categorical_crossentropy")
        estimate(model, data.train, 64)
    for one, two in zip(alone.weights, together.weights, strict=True):
        for replica in two_devices.experimental_local_results(two.value):
            # deeper layers saw other batch statistics on the way: each replica normalizes its own half
            np.testing.assert_allclose(replica, one.numpy(), rtol=0.1, atol=0.05)
    probabilities = together.predict(data.validation.images, verbose=0)
    alone.set_weights(together.get_weights())
    np.testing.assert_allclose(alone.predict(data.validation.images, verbose=0), probabilities, atol=1e-6)


def test_a_net_without_batch_norm_is_left_alone(data):
    model = model_of(batch_norm=False)
    before = model.get_weights()
    estimate(model, data.train, 64)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
