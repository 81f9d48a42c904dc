"""The first layer does to the pixels what its name says, in float32 whatever the precision."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cnn.errors import InputError
from keras_cnn.models.normalization import normalization_layer
from keras_cnn.models.spec import NORMALIZATIONS, ModelSpec

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 5, 4, 2), np.uint8)
MEAN, VARIANCE = IMAGES.mean((0, 1, 2)), IMAGES.var((0, 1, 2))


def normalized(kind: str, images: np.ndarray = IMAGES, **changes) -> np.ndarray:
    statistics = {"mean": tuple(MEAN), "variance": tuple(VARIANCE)} | changes
    spec = ModelSpec("vgg", images.shape[1:], 2, normalization=kind, precision="mixed_bfloat16", **statistics)
    output = normalization_layer(spec)(images)
    assert output.dtype == "float32"
    return np.asarray(output)


def test_normalization_kinds_scale_pixels_as_named():
    assert len(NORMALIZATIONS) == 5
    floats = IMAGES.astype(np.float64)
    np.testing.assert_array_equal(normalized("none"), floats)
    np.testing.assert_allclose(normalized("zero_one"), floats / 255, rtol=1e-6)
    np.testing.assert_allclose(normalized("minus_one_one"), floats / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(normalized("zero_mean"), (floats - MEAN) / np.sqrt(VARIANCE), atol=1e-5)
    expected = tf.image.per_image_standardization(IMAGES)
    np.testing.assert_allclose(normalized("per_image"), expected, atol=1e-5)


@pytest.mark.parametrize("kind", NORMALIZATIONS)
def test_normalization_of_another_value_range_equals_that_of_pixels(kind):
    """Images whose pixels are halved and moved by 3, and what is known of them."""
    if kind == "none":
        return
    floats = IMAGES.astype(np.float32) / 2 + 3
    statistics = {"mean": tuple(MEAN / 2 + 3), "variance": tuple(VARIANCE / 4), "value_range": (3, 130.5)}
    np.testing.assert_allclose(normalized(kind, floats, **statistics), normalized(kind), atol=2e-5)


def test_zero_one_of_floats_equals_that_of_pixels_exactly():
    floats = IMAGES.astype(np.float32) * np.float32(1 / 255)
    found = normalized("zero_one", floats, value_range=(0.0, 1.0))
    np.testing.assert_array_equal(found, normalized("zero_one"))


def test_zero_mean_has_mean_zero_and_deviation_one():
    output = normalized("zero_mean").astype(np.float64)
    np.testing.assert_allclose(output.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(output.std((0, 1, 2)), 1, atol=1e-4)


def test_one_color_gives_no_infinity():
    gray = np.full((2, 3, 3, 2), 77, np.uint8)
    assert not normalized("per_image", gray).any()
    output = normalized("zero_mean", gray, mean=(77.0, 77.0), variance=(0.0, 0.0))
    assert not output.any()


@settings(deadline=None, max_examples=20)
@given(scale=st.floats(0.2, 1), shift=st.integers(0, 40))
def test_per_image_does_not_see_brightness_and_contrast(scale, shift):
    floats = IMAGES.astype(np.float32)
    np.testing.assert_allclose(
        normalized("per_image", floats * scale + shift), normalized("per_image", floats), atol=2e-3
    )


def test_zero_mean_needs_statistics_of_every_channel():
    for mean in (None, (1.0,)):
        with pytest.raises(InputError, match="one mean per channel"):
            ModelSpec("vgg", (8, 8, 3), 2, mean=mean, variance=(1.0, 1.0, 1.0))


def test_value_range_that_is_empty_is_refused():
    with pytest.raises(InputError, match=r"must be .low, high. with low below high"):
        ModelSpec("vgg", (8, 8, 1), 2, normalization="zero_one", value_range=(1.0, 1.0))
