"""VGG is the published one: counts of the paper and torchvision, and outputs of keras.applications."""

import warnings

import keras
import numpy as np
import pytest

from keras_cnn.models.build import InitializationWarning, build_model
from keras_cnn.models.spec import ModelSpec
from keras_cnn.models.unallocated import unallocated

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


def convolutional(model: keras.Model) -> int:
    return sum(layer.count_params() for layer in model.layers if layer.name.startswith("block"))


@pytest.mark.parametrize("name", COUNTS)
def test_counts_at_224_are_the_published_ones(name):
    with unallocated():
        model = build(name, 224, 1000)
    assert model.count_params() == COUNTS[name]
    assert model.output.shape == (None, 1000)
    dense = {name: model.get_layer(name).count_params() for name in ("fc1", "fc2", "predictions")}
    assert dense == {"fc1": 25088 * 4096 + 4096, "fc2": 4096 * 4096 + 4096, "predictions": 4096 * 1000 + 1000}
    assert convolutional(model) == COUNTS[name] - sum(dense.values())


@pytest.mark.parametrize("name", TRAINABLE_WITH_BATCH_NORM)
def test_batch_norm_of_the_convolutions_adds_torchvisions_parameters(name):
    with unallocated():
        plain = build(name, options={"dense": []})
        normalized = build(name, options={"dense": []}, batch_norm=True)
    added = trainable(normalized) - trainable(plain)
    assert added == TRAINABLE_WITH_BATCH_NORM[name] - COUNTS[name]
    assert normalized.count_params() - trainable(normalized) == added  # two moving statistics a channel


def test_vgg_forms_for_small_images_have_the_published_counts():
    with unallocated():
        bare, normalized = (build("vgg16", options={"dense": []}, batch_norm=one) for one in (False, True))
        assert build("vgg16", options={"dense": [512, 512]}).count_params() == 15_245_130
        assert convolutional(build("vgg19", options={"dense": []})) == 20_024_384
    assert convolutional(bare) == 14_714_688
    assert bare.count_params() == 14_719_818
    assert trainable(normalized) == 14_728_266


@pytest.mark.parametrize("name", ["vgg16", pytest.param("vgg19", marks=pytest.mark.slow)])
def test_outputs_equal_keras_applications_bit_for_bit(name):
    """At 64x64, where four pixels are flattened. Images this bright make the classes' probabilities differ."""
    function = {"vgg16": keras.applications.VGG16, "vgg19": keras.applications.VGG19}[name]
    reference = function(weights=None, input_shape=(64, 64, 3), classes=7)
    model = build(name, 64, 7)
    model.set_weights(reference.get_weights())
    images = np.random.default_rng(0).normal(0, 1000, (2, 64, 64, 3)).astype(np.float32)
    for net in (model, reference):
        assert np.ptp(net(images)[0]) > 0.05
    for layer in ("block5_pool", None):
        found, expected = (
            keras.Model(net.input, net.get_layer(layer).output if layer else net.output)(images)
            for net in (model, reference)
        )
        np.testing.assert_array_equal(found, expected)


def test_tunable_vgg_with_vgg13_settings_is_vgg13_up_to_its_last_block():
    """Four blocks of two, doubling from 64: in the fifth the paper stops doubling at 512."""
    options = {"blocks": 4, "convolutions": 2, "width": 64, "growth": 2, "dense": []}
    with unallocated():
        model, published = build("vgg", options=options), build("vgg13", options={"dense": []})
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
    ("changes", "warns"),
    [
        ({}, True),
        ({"batch_norm": True}, False),
        ({"kernel_initializer": "he_normal"}, False),
        ({"activation": "tanh"}, False),
        ({"options": {"blocks": 2, "width": 4}}, False),
    ],
)
def test_deep_relu_nets_with_glorot_kernels_give_a_warning(changes, warns):
    deep = {"options": {"blocks": 3, "convolutions": 5, "width": 4}, "kernel_initializer": "glorot_uniform"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build("vgg", **deep | changes)
    assert [w.category for w in caught] == [InitializationWarning] * warns
