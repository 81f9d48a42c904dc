"""MobileNetV2 has the counts of the paper, and the outputs and counts of keras.applications at any width."""

import keras
import pytest

from keras_cnn.models.build import build_model
from keras_cnn.models.describe import describe
from keras_cnn.models.spec import ModelSpec
from keras_cnn.models.unallocated import unallocated
from tests.reference_nets import assert_equals_reference


def build(side, classes, **changes) -> keras.Model:
    settings = {"normalization": "none", "activation": "relu6"} | changes
    return build_model(ModelSpec("mobilenet_v2", (side, side, 3), classes, **settings))


def test_counts_at_224_are_the_published_ones():
    """3.4 million parameters and 300 million multiply-adds in table 4 of the paper."""
    with unallocated():
        found = describe(build(224, 1000))
    assert (found["trainable_parameters"], found["parameters"]) == (3_504_872, 3_538_984)
    assert found["macs"] == 300_774_272


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.35, 1.4])
def test_widths_are_those_of_keras_applications(alpha):
    with unallocated():
        reference = keras.applications.MobileNetV2((96, 96, 3), alpha=alpha, weights=None)
        model = build(96, 1000, options={"alpha": alpha})
    assert model.count_params() == reference.count_params()


@pytest.mark.slow
def test_mobilenet_v2_equals_keras_applications():
    keras.utils.set_random_seed(0)
    reference = keras.applications.MobileNetV2((65, 65, 3), alpha=0.5, weights=None, classes=7)
    model = build(65, 7, options={"alpha": 0.5})
    assert_equals_reference(model, reference, relative=3e-4)


def test_a_small_image_keeps_its_size_in_the_stem():
    with unallocated():
        small, large = build(32, 10), build(64, 10)
    for model in (small, large):
        assert model.get_layer("pool").input.shape == (None, 2, 2, 1280)
    # kernels are the same, so weights of large images fit small ones
    assert [weight.shape for weight in small.weights] == [weight.shape for weight in large.weights]
