"""Descriptions agree with Keras's counts, with the papers, and with what a pixel can be seen to influence."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.models.build import build_model
from keras_cnn.models.describe import describe
from keras_cnn.models.spec import ModelSpec
from keras_cnn.models.tables import layer_table
from keras_cnn.models.unallocated import unallocated


def build(name, shape, classes, **changes) -> keras.Model:
    settings = {"normalization": "zero_one", "batch_norm": False, "kernel_initializer": "zeros"} | changes
    return build_model(ModelSpec(name, shape, classes, **settings))


def test_vgg16_has_the_published_multiply_adds():
    """15.47 billion at 224x224 (e.g. Canziani et al. 2016, arXiv:1605.07678, figure 2)."""
    with unallocated():
        found = describe(build("vgg16", (224, 224, 3), 1000))
    assert found["parameters"] == found["trainable_parameters"] == 138_357_544
    assert found["macs"] == 15_470_264_320
    assert found["shares"]["dense"]["parameters"] == pytest.approx(0.894, abs=1e-3)
    assert found["shares"]["convolution"]["macs"] == pytest.approx(0.992, abs=1e-3)


def test_a_layer_is_described_by_name_sizes_and_counts():
    rows = {row["name"]: row for row in describe(build("lenet5", (28, 28, 1), 10))["layers"]}
    assert rows["block2_conv1"] == {
        "name": "block2_conv1",
        "kind": "Conv2D",
        "kernel": (5, 5),
        "strides": (1, 1),
        "padding": "valid",
        "output_shape": (10, 10, 16),
        "parameters": 2416,
        "macs": 10 * 10 * 16 * 5 * 5 * 6,
        "receptive_field": 14,
    }
    assert rows["fc1"]["macs"] == 400 * 120 and rows["fc1"]["receptive_field"] is None


def test_groups_and_depthwise_convolutions_multiply_less():
    with unallocated():
        rows = describe(build("alexnet", (227, 227, 3), 10))["layers"]
    grouped = {row["name"]: row for row in rows}
    assert grouped["block2_conv1"]["macs"] == 27 * 27 * 256 * 5 * 5 * 48
    options = {"stages": 1, "depth": 1, "width": 8}
    row = {r["name"]: r for r in describe(build("convnext", (16, 16, 3), 2, options=options))["layers"]}
    assert row["stage1_block1_depthwise"]["macs"] == 8 * 8 * 8 * 7 * 7
    assert row["stage1_block1_expand"]["macs"] == 8 * 8 * 8 * 32


@pytest.mark.parametrize(
    ("name", "layer", "options"),
    [
        ("vgg", "block2_conv2", {"blocks": 2, "width": 2}),
        ("convnext", "stage2_conv", {"stages": 2, "depth": 1, "width": 2}),
        ("resnet", "stage2_block1_add", {"stages": 2, "depth": 1, "width": 2}),
    ],
)
def test_the_receptive_field_is_where_the_gradient_is(name, layer, options):
    model = build(name, (64, 64, 1), 2, kernel_initializer="ones", activation="linear", options=options)
    rows = {row["name"]: row["receptive_field"] for row in describe(model)["layers"]}
    if name == "convnext":  # layer normalization of equal channels gives zeros, without a gradient
        random = np.random.default_rng(0)
        model.set_weights([random.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    part = keras.Model(model.input, model.get_layer(layer).output)
    images = tf.random.uniform((1, 64, 64, 1), 1, 255, seed=0)
    with tf.GradientTape() as tape:
        tape.watch(images)
        output = part(images)
        middle = output.shape[1] // 2
        value = tf.reduce_sum(output[0, middle, middle] * tf.range(1.0, output.shape[-1] + 1))
    rows_seen = np.flatnonzero(np.abs(tape.gradient(value, images)[0, :, :, 0]).sum(1) > 0)
    assert rows_seen[-1] - rows_seen[0] + 1 == rows[layer]


def test_the_table_names_every_layer():
    model = build("vgg", (32, 32, 3), 10, batch_norm=True)
    text = layer_table(describe(model))
    assert all(layer.name in text for layer in model.layers[1:])
    assert f"{model.count_params():,} parameters" in text
