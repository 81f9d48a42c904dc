"""U-Net has the published counts and sizes, padded or not."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cnn.errors import InputError
from keras_cnn.models.unallocated import unallocated
from keras_cnn.models.unet import output_side, unet, unet_paper

STYLE = {"activation": "relu", "kernel_initializer": "zeros", "batch_norm": False, "dropout": 0.0}


def build(function, shape, classes, **arguments) -> keras.Model:
    style = STYLE | arguments.pop("style", {})
    images = keras.Input(shape)
    return keras.Model(images, function(images, classes=classes, style=style, **arguments))


def published(function, shape, classes, **arguments) -> keras.Model:
    with unallocated():
        return build(function, shape, classes, **arguments)


@pytest.mark.parametrize(
    ("channels", "classes", "count"), [(1, 1, 31_030_593), (3, 1, 31_031_745), (3, 2, 31_031_810)]
)
@pytest.mark.parametrize("upsampling", ["transpose", "resize"])
def test_counts_with_padding_are_the_published_ones(channels, classes, count, upsampling):
    model = published(unet, (32, 32, channels), classes, upsampling=upsampling)
    assert model.count_params() == count
    assert model.output.shape == (None, 32, 32, classes)


def test_convolutions_before_batch_norm_have_no_bias():
    model = published(unet, (32, 32, 3), 2, style={"batch_norm": True})
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 31_037_698


def test_the_published_net_has_the_published_sizes():
    model = published(unet_paper, (572, 572, 1), 2)
    assert model.count_params() == 31_030_658
    assert model.output.shape == (None, 388, 388, 2)

    def sides(names):
        return [model.get_layer(name).output.shape[1] for name in names]

    assert sides(f"down{level}_pool" for level in range(1, 5)) == [284, 140, 68, 32]
    assert sides(f"up{level}_up" for level in (4, 3, 2, 1)) == [56, 104, 200, 392]
    crops = [model.get_layer(f"up{level}_crop") for level in (4, 3, 2, 1)]
    assert [crop.cropping for crop in crops] == [((side, side), (side, side)) for side in (4, 16, 40, 88)]
    assert [crop.input.shape[1] for crop in crops] == [64, 136, 280, 568]


@given(side=st.integers(1, 700), depth=st.integers(1, 5), convolutions=st.integers(1, 3))
def test_padded_sizes_are_those_that_halve_evenly(side, depth, convolutions):
    expected = side if side % 2**depth == 0 else None
    assert output_side(side, depth, convolutions, "same") == expected


@pytest.mark.parametrize(("side", "out"), [(572, 388), (188, 4), (172, None), (570, None)])
def test_sizes_without_padding(side, out):
    assert output_side(side, 4, 2, "valid") == out


def test_sizes_that_do_not_fit_name_those_that_do():
    with pytest.raises(InputError, match="nearest are 32 and 48"):
        build(unet, (40, 48, 3), 2)
    with pytest.raises(InputError, match="nearest are 556 and 572"):
        build(unet_paper, (560, 560, 1), 2)
    with pytest.raises(InputError, match="nearest are 188 and 204"):
        build(unet_paper, (100, 100, 1), 2)


def test_a_shift_by_the_stride_shifts_the_answer():
    """Far from the border, a padded net is a convolution: shifting by 2^depth pixels shifts what comes out."""
    keras.utils.set_random_seed(0)
    style = {"kernel_initializer": "he_normal"}
    model = build(unet, (64, 64, 1), 2, style=style, depth=2, width=4)
    image = np.random.default_rng(0).normal(size=(1, 64, 64, 1)).astype(np.float32)
    here, there = (np.asarray(model(x, training=False))[0] for x in (image, np.roll(image, 4, axis=1)))
    np.testing.assert_allclose(np.roll(here, 4, axis=0)[28:40, 24:40], there[28:40, 24:40], atol=1e-5)
