"""ResNet has the counts of the paper and torchvision, and ResNet-50 the outputs of keras.applications."""

import keras
import numpy as np
import pytest

from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from keras_cnn.models.describe import describe
from keras_cnn.models.spec import ModelSpec
from keras_cnn.models.unallocated import unallocated
from tests.reference_nets import assert_equals_reference

# trainable parameters of torchvision, and the billions of multiply-adds in table 1 of the paper
PUBLISHED = {"resnet18": (11_689_512, 1.8), "resnet34": (21_797_672, 3.6), "resnet50": (25_557_032, 3.8)}
# blocks a stage -> parameters: 0.27, 0.46, 0.66, 0.85 and 1.7 million in table 6 of the paper
SMALL = {3: 269_722, 5: 464_154, 7: 658_586, 9: 853_018, 18: 1_727_962}


def build(name, side, classes, **changes) -> keras.Model:
    return build_model(ModelSpec(name, (side, side, 3), classes, **{"normalization": "none"} | changes))


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_at_224_are_the_published_ones(name):
    with unallocated():
        model = build(name, 224, 1000)
        found = describe(model)
    parameters, billions = PUBLISHED[name]
    assert found["trainable_parameters"] == parameters
    # the paper cuts off digits
    assert found["macs"] / 1e9 == pytest.approx(billions, abs=0.1)
    assert model.get_layer("pool").input.shape == (None, 7, 7, 2048 if name == "resnet50" else 512)


@pytest.mark.parametrize("depth", SMALL)
def test_small_resnets_have_the_counts_of_the_paper(depth):
    with unallocated():
        model = build("resnet", 32, 10, options={"depth": depth})
    found = describe(model)
    assert found["trainable_parameters"] == SMALL[depth]
    weighted = [
        layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)
    ]
    assert len(weighted) == 6 * depth + 2
    assert model.get_layer("pool").input.shape == (None, 8, 8, 64)


def test_resnet20_is_resnet_with_its_defaults():
    with unallocated():
        shapes = [
            [weight.shape for weight in build(name, 32, 10).weights] for name in ("resnet", "resnet20_cifar")
        ]
    assert shapes[0] == shapes[1]


@pytest.mark.slow
def test_resnet50_equals_keras_applications():
    keras.utils.set_random_seed(0)
    reference = keras.applications.ResNet50(weights=None, input_shape=(65, 65, 3), classes=7)
    model = build("resnet50", 65, 7)
    assert_equals_reference(model, reference, relative=3e-4)
    # its convolutions have biases before batch normalization, one for each normalized channel
    normalized = sum(
        layer.gamma.shape[0] for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
    )
    assert reference.count_params() - model.count_params() == normalized == 26_560


def test_a_small_image_keeps_its_size_in_the_stem():
    with unallocated():
        small, large = build("resnet18", 63, 10), build("resnet18", 64, 10)
    assert small.get_layer("stage1_block1_add").output.shape == (None, 63, 63, 64)
    assert large.get_layer("stage1_block1_add").output.shape == (None, 16, 16, 64)


def test_shortcut_without_parameters_takes_every_second_pixel_and_adds_zeros():
    model = build("resnet", 9, 2, options={"stages": 2, "depth": 1, "width": 4, "growth": 1.75})
    parts = [model.get_layer(name).output for name in ("stage1_block1_act", "stage2_block1_shortcut_pad")]
    images = np.random.default_rng(0).normal(size=(2, 9, 9, 3)).astype(np.float32)
    before, after = (np.asarray(part) for part in keras.Model(model.input, parts)(images, training=False))
    assert after.shape == (2, 5, 5, 7)
    np.testing.assert_array_equal(after[..., 1:5], before[:, ::2, ::2])
    assert before.any() and not after[..., :1].any() and not after[..., 5:].any()


def test_strided_convolution_is_centered_where_the_shortcut_takes_its_pixel():
    """A single bright pixel that the shortcut of a block takes is in the middle of the convolution's window."""
    with unallocated():
        rows = {row["name"]: row for row in describe(build("resnet", 8, 2))["layers"]}
    assert rows["stage2_block1_pad"]["output_shape"] == (10, 10, 16)
    assert rows["stage2_block1_conv1"]["padding"] == "valid"


def test_channels_that_get_fewer_are_projected():
    options = {"stages": 2, "depth": 1, "width": 8, "growth": 0.5}
    with unallocated():
        model = build("resnet", 8, 2, options=options)
    assert model.get_layer("stage2_block1_shortcut_conv1").kernel.shape == (1, 1, 8, 4)


def test_more_stages_than_the_image_can_be_halved_are_refused():
    with pytest.raises(InputError, match=r"too small for 5 stages.*at least 16"):
        build("resnet", 15, 3, options={"stages": 5})
