"""Initializers draw what they promise, at every use anew."""

import keras
import numpy as np
import pytest

from keras_cnn.models.blocks import conv_block, dense_block, vgg_block


def kernels(initializer: str) -> list[np.ndarray]:
    x = keras.Input((8, 8, 64))
    y = conv_block(x, 64, kernel_initializer=initializer, index=1)
    y = conv_block(y, 64, kernel_initializer=initializer, index=2)
    return [w.numpy() for w in keras.Model(x, y).trainable_weights if w.name == "kernel"]


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        ("glorot_uniform", 2 / (9 * 64 + 9 * 64)),
        ("glorot_normal", 2 / (9 * 64 + 9 * 64)),
        ("he_normal", 2 / (9 * 64)),
        ("he_uniform", 2 / (9 * 64)),
        ("lecun_normal", 1 / (9 * 64)),
    ],
)
def test_variance_of_initial_kernels(initializer, variance):
    first, second = kernels(initializer)
    for kernel in (first, second):
        assert abs(kernel.var() / variance - 1) < 4 / np.sqrt(kernel.size)
    assert not np.array_equal(first, second)


def test_he_keeps_the_signal_and_glorot_halves_it():
    """Thirty equal ReLU layers: E[x^2] stays within a factor of 2, or falls by about 2 a layer."""
    keras.utils.set_random_seed(0)
    signal = np.random.default_rng(0).normal(size=(64, 512)).astype(np.float32)
    energy = {}
    for initializer in ("he_normal", "glorot_uniform"):
        x = y = keras.Input((512,))
        for index in range(30):
            y = dense_block(y, 512, kernel_initializer=initializer, name=f"fc{index}")
        energy[initializer] = float(np.mean(np.asarray(keras.Model(x, y)(signal)) ** 2))
    assert 0.25 < energy["he_normal"] < 1  # the ReLU halves the first E[x^2] = 1 once
    assert 2.0**-34 < energy["glorot_uniform"] < 2.0**-26


def test_vgg_block_halves_the_sides_and_keeps_odd_ones_whole():
    assert vgg_block(keras.Input((9, 12, 3)), 7, 2).shape == (None, 4, 6, 7)


def test_dropout_drops_in_training_only():
    x = keras.Input((4,))
    model = keras.Model(x, dense_block(x, 100, dropout=0.5, activation="linear"))
    ones = np.ones((1, 4), np.float32)
    assert 20 < np.sum(np.asarray(model(ones, training=True)) == 0) < 80
    assert not np.sum(np.asarray(model(ones, training=False)) == 0)
