"""EfficientNet-B0 has the counts of the paper and the outputs of keras.applications."""

import keras
import numpy as np
import pytest

from keras_cnn.models.build import build_model
from keras_cnn.models.describe import describe
from keras_cnn.models.layers import StochasticDepth
from keras_cnn.models.spec import ModelSpec
from keras_cnn.models.unallocated import unallocated
from tests.reference_nets import assert_equals_reference


def build(side, classes, **changes) -> keras.Model:
    settings = {"normalization": "zero_one", "activation": "silu"} | changes
    return build_model(ModelSpec("efficientnet_b0", (side, side, 3), classes, **settings))


def test_counts_at_224_are_the_published_ones():
    """5.3 million parameters and 0.39 billion multiply-adds in table 2 of the paper."""
    with unallocated():
        found = describe(build(224, 1000))
    assert (found["trainable_parameters"], found["parameters"]) == (5_288_548, 5_330_564)
    assert found["macs"] == 385_814_752


@pytest.mark.slow
def test_efficientnet_b0_equals_keras_applications():
    """Its first layer divides by 255, as `zero_one` does here."""
    keras.utils.set_random_seed(0)
    reference = keras.applications.EfficientNetB0(weights=None, input_shape=(65, 65, 3), classes=7)
    assert_equals_reference(build(65, 7), reference, relative=3e-4)


def test_a_small_image_keeps_its_size_in_the_stem():
    with unallocated():
        small, large = build(32, 10), build(64, 10)
    for model in (small, large):
        assert model.get_layer("pool").input.shape == (None, 2, 2, 1280)


def test_drop_path_rises_linearly_over_all_blocks():
    with unallocated():
        model = build(32, 10, options={"drop_path_rate": 0.3})
    rates = {
        layer.name.removesuffix("_drop_path"): layer.rate
        for layer in model.layers
        if isinstance(layer, StochasticDepth)
    }
    # of 16 blocks, those that add their input: the second and later ones of each stage
    expected = {"stage2_block2": 2, "stage3_block2": 4, "stage4_block2": 6, "stage4_block3": 7}
    expected |= {"stage5_block2": 9, "stage5_block3": 10, "stage6_block2": 12, "stage6_block3": 13}
    expected |= {"stage6_block4": 14}
    assert rates == pytest.approx({name: 0.3 * number / 15 for name, number in expected.items()})


def test_squeeze_and_excite_multiplies_each_channel_by_a_gate():
    keras.utils.set_random_seed(0)
    model = build(16, 2)
    names = ("stage1_block1_depthwise_act", "stage1_block1_squeeze_gate", "stage1_block1_squeeze_multiply")
    parts = keras.Model(model.input, [model.get_layer(name).output for name in names])
    images = np.random.default_rng(0).uniform(0, 1e4, (2, 16, 16, 3)).astype(np.float32)
    values, gate, product = (np.asarray(part) for part in parts(images, training=False))
    assert gate.shape == (2, 1, 1, 32) and gate.min() > 0 and gate.max() < 1 and np.ptp(gate) > 0.1
    np.testing.assert_allclose(product, values * gate, rtol=1e-6)
