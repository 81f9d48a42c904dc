"""VGG is the published one: counts of the paper and torchvision, and outputs of keras.applications."""

import warnings

import keras
import numpy as np
import pytest

from keras_cnn.models.build import InitializationWarning, build_model
from keras_cnn.models.spec import ModelSpec

COUNTS = {
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16_c": 133_638_952,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
}
TRAINABLE_WITH_BATCH_NORM = {
    "vgg11": 132_868_840,
    "vgg13": 133_053_736,
    "vgg16": 138_365_992,
    "vgg19": 143_678_248,
}


def build(name, side=32, classes=10, channels=3, **changes) -> keras.Model:
    settings = {"normalization": "none", "batch_norm": False, "kernel_initializer": "zeros"} | changes
    return build_model(ModelSpec(name, (side, side, channels), classes, **settings))


def trainable(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize("name", COUNTS)
def test_counts_at_224(name):
    assert build(name, 224, 1000).count_params() == COUNTS[name]


def convolutional_counts(name):
    """Count without the dense layers at 224, from the count of the dense layers: 25088-4096-4096-1000."""
    return COUNTS[name] - (25088 * 4096 + 4096) - (4096 * 4096 + 4096) - (4096 * 1000 + 1000)


@pytest.mark.parametrize("name", TRAINABLE_WITH_BATCH_NORM)
def test_batch_norm_of_the_convolutions_adds_torchvisions_parameters(name):
    plain = build(name, options={"dense": []})
    normalized = build(name, options={"dense": []}, batch_norm=True)
    added = trainable(normalized) - trainable(plain)
    assert added == TRAINABLE_WITH_BATCH_NORM[name] - COUNTS[name]
    assert normalized.count_params() - trainable(normalized) == added  # two moving statistics a channel


def test_vgg16_forms_for_small_images():
    assert convolutional_counts("vgg16") == 14_714_688
    assert convolutional_counts("vgg19") == 20_024_384
    assert build("vgg16", options={"dense": []}).count_params() == 14_719_818
    assert trainable(build("vgg16", options={"dense": []}, batch_norm=True)) == 14_728_266
    assert build("vgg16", options={"dense": [512, 512]}).count_params() == 15_245_130


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_features_equal_keras_applications_bit_for_bit(name):
    reference = {"vgg16": keras.applications.VGG16, "vgg19": keras.applications.VGG19}[name](
        weights=None, include_top=False, input_shape=(32, 32, 3)
    )
    model = build(name, options={"dense": []})
    features = keras.Model(model.input, model.get_layer("block5_pool").output)
    features.set_weights(reference.get_weights())
    images = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(features.predict(images, verbose=0), reference.predict(images, verbose=0))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_probabilities_equal_keras_applications_bit_for_bit(name):
    reference = {"vgg16": keras.applications.VGG16, "vgg19": keras.applications.VGG19}[name](weights=None)
    model = build(name, 224, 1000)
    model.set_weights(reference.get_weights())
    images = np.random.default_rng(0).normal(size=(1, 224, 224, 3)).astype(np.float32)
    np.testing.assert_array_equal(model.predict(images, verbose=0), reference.predict(images, verbose=0))


def test_tunable_vgg_at_the_settings_of_vgg13_is_vgg13_but_for_its_last_block():
    """Five blocks of two, doubling from 64: the paper stops doubling at 512."""
    model = build("vgg", options={"blocks": 4, "convolutions": 2, "width": 64, "growth": 2, "dense": []})
    published = build("vgg13", options={"dense": []})
    shapes = [weight.shape for weight in model.weights[:16]]
    assert shapes == [weight.shape for weight in published.weights[:16]]


def test_layer_names_are_stable():
    model = build("vgg", options={"blocks": 1, "convolutions": 2, "dense": [8]}, batch_norm=True, dropout=0.1)
    assert [layer.name for layer in model.layers] == [
        "images",
        "normalization",
        "block1_conv1",
        "block1_bn1",
        "block1_act1",
        "block1_conv2",
        "block1_bn2",
        "block1_act2",
        "block1_pool",
        "block1_drop",
        "flatten",
        "fc1",
        "fc1_bn",
        "fc1_act",
        "fc1_drop",
        "predictions",
        "probabilities",
    ]


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, True),
        ({"batch_norm": True}, False),
        ({"kernel_initializer": "he_normal"}, False),
        ({"activation": "tanh"}, False),
        ({"options": {"blocks": 2, "width": 4}}, False),
    ],
)
def test_deep_relu_with_glorot_is_warned_of(changes, warned):
    deep = {"options": {"blocks": 3, "convolutions": 5, "width": 4}, "kernel_initializer": "glorot_uniform"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build("vgg", **deep | changes)
    assert [w.category for w in caught] == [InitializationWarning] * warned
