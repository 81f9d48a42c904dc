"""BatchNormalization is Keras's own, fused, with moving statistics one can use after any number of steps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.models.layers import BatchNormalization, Conv2D

SHAPES = [(8, 5, 4, 3), (16, 3)]


def pair(shape, **arguments):
    """Our layer and Keras's with equal weights."""
    ours = BatchNormalization(momentum=0.99, **arguments)
    theirs = keras.layers.BatchNormalization(momentum=0.99, **arguments)
    random = np.random.default_rng(0)
    for layer in (ours, theirs):
        layer.build(shape)
    weights = [random.normal(size=weight.shape) for weight in theirs.weights]
    weights[3] = np.abs(weights[3]) + 0.5
    ours.set_weights(weights)
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def batch(shape, seed=1):
    return tf.constant(np.random.default_rng(seed).normal(3, 2, shape), tf.float32)


def run(layer, x, training):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=training)
        loss = tf.reduce_sum(y**2 * tf.range(y.shape[-1], dtype=y.dtype))
    return y, tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
def test_outputs_gradients_and_statistics_equal_keras(shape, training):
    ours, theirs = pair(shape)
    (y, gradients), (expected, their_gradients) = (
        run(layer, batch(shape), training) for layer in (ours, theirs)
    )
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    for gradient, theirs_ in zip(gradients, their_gradients, strict=True):
        np.testing.assert_allclose(gradient, theirs_, rtol=1e-3, atol=1e-3)
    for weight, expected_weight in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected_weight, rtol=1e-5, atol=1e-6)


def test_what_cannot_be_fused_takes_keras_path():
    for shape, arguments in (((4, 6, 3), {}), ((4, 5, 6, 3), {"axis": 1}), ((4, 5, 6, 3), {"scale": False})):
        ours = BatchNormalization(momentum=0.99, **arguments)
        theirs = keras.layers.BatchNormalization(momentum=0.99, **arguments)
        x = batch(shape)
        np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), atol=1e-5)


def test_first_batch_replaces_the_initial_statistics():
    layer, x = BatchNormalization(), batch((64, 4, 4, 3))
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean, tf.reduce_mean(x, (0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, tf.math.reduce_variance(x, (0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(layer(x, training=False), layer(x, training=True), atol=1e-3)
    layer(batch((64, 4, 4, 3), 2) + 10, training=True)
    assert np.all(np.abs(layer.moving_mean - (0.9 * 3 + 0.1 * 13)) < 0.3)


def test_a_frozen_layer_does_not_move():
    layer = BatchNormalization()
    layer.build((None, 3))
    layer.trainable = False
    before = layer.get_weights()
    layer(batch((16, 3)), training=True)
    for weight, old in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_batchnorm_in_half_precision_stays_close(dtype):
    layer = BatchNormalization(dtype=dtype)
    x = batch((64, 4, 4, 3))
    y = layer(x, training=True)
    assert y.dtype == layer.compute_dtype
    np.testing.assert_allclose(tf.cast(y, tf.float32), (x - 3) / 2, atol=0.3)
    np.testing.assert_allclose(layer.moving_mean, tf.reduce_mean(x, (0, 1, 2)), atol=0.05)
    assert layer.moving_mean.dtype == "float32"


@pytest.mark.parametrize("synchronized", [False, True])
def test_replicas_hold_the_statistics_of_the_global_batch(two_devices, synchronized):
    with two_devices.scope():
        layer = BatchNormalization(synchronized=synchronized)
        layer.build((None, 2, 2, 3))
    x = tf.concat([batch((8, 2, 2, 3)), batch((8, 2, 2, 3), 2) + 5], axis=0)  # replicas see different images

    @tf.function
    def step():
        def on_replica():
            index = tf.distribute.get_replica_context().replica_id_in_sync_group
            return layer(x[index * 8 : index * 8 + 8], training=True)

        return two_devices.run(on_replica)

    first, second = two_devices.experimental_local_results(step())
    for weight, expected in (
        (layer.moving_mean, x.numpy().mean((0, 1, 2))),
        (layer.moving_variance, x.numpy().var((0, 1, 2))),
    ):
        for replica in two_devices.experimental_local_results(weight.value):
            np.testing.assert_allclose(replica, expected, rtol=1e-4)
    apart = abs(float(tf.reduce_mean(first) - tf.reduce_mean(second)))
    assert apart > 1 if synchronized else apart < 1e-4
    together = BatchNormalization()(x, training=True)
    if synchronized:
        np.testing.assert_allclose(tf.concat([first, second], 0), together, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_convolution_equals_keras_in_outputs_and_gradients(dtype, use_bias):
    arguments = {"padding": "same", "activation": "tanh", "use_bias": use_bias, "dtype": dtype}
    x, found = batch((4, 9, 7, 3)), []
    weights = None
    for kind in (keras.layers.Conv2D, Conv2D):
        layer = kind(5, 3, **arguments)
        layer.build(x.shape)
        weights = weights or [np.random.default_rng(0).normal(0, 0.2, w.shape) for w in layer.weights]
        layer.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(tf.cast(y, tf.float32) ** 2 * tf.range(5.0))
        found.append([y, *tape.gradient(loss, [x, *(w.value for w in layer.trainable_weights)])])
    tolerance = 1e-4 if dtype == "float32" else 0.0  # half precision takes Keras's own path
    for expected, ours in zip(*found, strict=True):
        assert expected.dtype == ours.dtype
        np.testing.assert_allclose(
            tf.cast(ours, tf.float32), tf.cast(expected, tf.float32), rtol=tolerance, atol=tolerance
        )
    again = Conv2D.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
