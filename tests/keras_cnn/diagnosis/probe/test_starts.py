"""New initial weights of a model."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cnn.diagnosis.probe.starts import drawn_weights


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((16, 16, 8))
    x = layers.Conv2D(16, 3, kernel_initializer="he_normal", bias_initializer="ones")(x)
    x = layers.DepthwiseConv2D(3)(x)
    x = layers.SeparableConv2D(16, 3)(x)
    x = layers.Dense(8, kernel_initializer="zeros")(layers.Flatten()(layers.BatchNormalization()(x)))
    return keras.Model(inputs, layers.Dense(10, kernel_initializer=keras.initializers.Orthogonal(seed=3))(x))


def test_drawn_weights_are_those_of_the_initializers(model):
    before = model.get_weights()
    drawn = drawn_weights(model, 1)
    # the kernel of zeros is not drawn; a separable convolution has two
    assert [tuple(value.shape) for _, value in drawn] == [
        (3, 3, 8, 16),
        (3, 3, 16, 1),
        (3, 3, 16, 1),
        (1, 1, 16, 16),
        (8, 10),
    ]
    for kernel, value in drawn:
        assert np.std(value) == pytest.approx(np.std(kernel.numpy()), rel=0.3) and not np.allclose(
            value, kernel.numpy()
        )
    orthogonal = drawn[-1][1]
    assert np.allclose(orthogonal @ orthogonal.T, np.eye(8), atol=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_drawn_weights_depend_on_the_seed_alone(model):
    one, same, other = (drawn_weights(model, seed)[0][1] for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.allclose(one, other)


def test_drawn_weights_of_weights_of_another_origin_are_none(model):
    kernel = model.layers[1].kernel
    before = kernel.numpy()
    kernel.assign(3 * before)
    assert drawn_weights(model, 1) is None
    kernel.assign(before)
    frozen = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    frozen.trainable = False
    assert drawn_weights(frozen, 1) is None
