"""AlexNet has the counts and sizes of the paper and of torchvision; its groups are separate convolutions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.models.build import build_model
from keras_cnn.models.layers import Conv2D, LocalResponseNormalization
from keras_cnn.models.spec import ModelSpec
from keras_cnn.models.unallocated import unallocated
from tests.small_nets import spec_of


def build(name, side, **changes) -> keras.Model:
    settings = {"normalization": "none", "batch_norm": False, "kernel_initializer": "zeros"} | changes
    return build_model(ModelSpec(name, (side, side, 3), 1000, **settings))


@pytest.mark.parametrize(
    ("name", "side", "count", "sides"),
    [
        ("alexnet", 227, 60_965_224, [55, 27, 13, 13, 13, 6]),
        ("alexnet_ungrouped", 227, 62_378_344, [55, 27, 13, 13, 13, 6]),
        ("alexnet_torchvision", 224, 61_100_840, [55, 27, 13, 13, 13, 6]),
    ],
)
def test_counts_and_sizes_are_the_published_ones(name, side, count, sides):
    with unallocated():
        model = build(name, side)
    assert model.count_params() == count
    layers = [*(f"block{index}_conv1" for index in range(1, 6)), "block5_pool"]
    assert [model.get_layer(layer).output.shape[1] for layer in layers] == sides


@pytest.mark.parametrize(("side", "last"), [(15, 1), (28, 2), (32, 3), (66, 7), (67, 1)])
def test_small_images_have_a_stem_of_their_own(side, last):
    model = build("alexnet_ungrouped", side, options={"dense": [8]})
    assert model.get_layer("block5_pool").output.shape[1:3] == (last, last)


def test_groups_equal_two_half_convolutions():
    random = np.random.default_rng(0)
    layer = Conv2D(6, 3, padding="same", groups=2)
    x = tf.constant(random.normal(size=(2, 7, 7, 8)), tf.float32)
    layer.build(x.shape)
    kernel, bias = random.normal(size=(3, 3, 4, 6)), random.normal(size=6)
    layer.set_weights([kernel, bias])
    halves = [
        tf.nn.conv2d(x[..., :4], kernel[..., :3].astype(np.float32), 1, "SAME"),
        tf.nn.conv2d(x[..., 4:], kernel[..., 3:].astype(np.float32), 1, "SAME"),
    ]
    expected = np.concatenate(halves, -1) + bias
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)
    np.testing.assert_allclose(layer(x, training=True), expected, atol=1e-5)
    theirs = keras.layers.Conv2D(6, 3, padding="same", groups=2)
    theirs.build(x.shape)
    theirs.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x), theirs(x), atol=1e-5)


@pytest.mark.parametrize("channels", [3, 5, 16])
def test_local_response_normalization_equals_tensorflows(channels):
    x = np.random.default_rng(0).normal(0, 30, (2, 4, 5, channels)).astype(np.float32)
    expected = tf.nn.local_response_normalization(x, depth_radius=2, bias=2, alpha=1e-4, beta=0.75)
    np.testing.assert_allclose(LocalResponseNormalization()(x), expected, rtol=1e-5)


def test_alexnet_dropout_follows_dense_layers_only():
    model = build_model(spec_of("alexnet", dropout=0.5))
    names = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert names == ["fc1_drop"]
