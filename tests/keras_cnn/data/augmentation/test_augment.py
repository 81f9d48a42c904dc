"""Every augmentation does what its docstring says, to each image by itself, and repeats with its seed."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps
from scipy.ndimage import affine_transform

from keras_cnn.data.augmentation.augment import (
    FOR_MASKS,
    IMAGE_AUGMENTATIONS,
    augment,
    augment_masks,
    check_channels,
    check_for_masks,
    parse_augmentation,
)
from keras_cnn.data.augmentation.randaugment import RANDAUGMENT
from keras_cnn.errors import InputError


def noise(*shape: int, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(0).integers(low, high, shape, np.uint8)


def augmented(images: np.ndarray, name: str, seed: int = 0) -> np.ndarray:
    return augment(tf.constant(images), (name,), tf.constant([1, seed])).numpy()


@pytest.mark.parametrize("shape", [(32, 6, 8, 3), (32, 9, 5, 1)], ids=str)
@pytest.mark.parametrize("name", IMAGE_AUGMENTATIONS)
def test_it_keeps_shape_and_type_and_repeats_with_its_seed(name, shape):
    images = noise(*shape)
    first, again, other = (augmented(images, name, seed) for seed in (2, 2, 3))
    assert first.shape == shape and first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, images)


@settings(deadline=None, max_examples=30)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(2, 12), st.integers(2, 12), st.sampled_from([1, 3])),
    name=st.sampled_from(list(IMAGE_AUGMENTATIONS)),
    value=st.integers(0, 255),
)
def test_any_size_and_any_flat_image_will_do(shape, name, value):
    assert augmented(np.full(shape, value, np.uint8), name).shape == shape


def test_flip_mirrors_about_half_of_the_images():
    images = noise(400, 6, 8, 3)
    flipped = augmented(images, "flip")
    mirrored = [np.array_equal(new, old[:, ::-1]) for new, old in zip(flipped, images, strict=True)]
    kept = [np.array_equal(new, old) for new, old in zip(flipped, images, strict=True)]
    assert sum(mirrored) + sum(kept) == 400
    assert 140 < sum(mirrored) < 260


def test_crop_shifts_by_at_most_an_eighth():
    images = np.zeros((200, 16, 16, 1), np.uint8)
    images[:, 8, 8] = 255
    places = np.argwhere(augmented(images, "crop")[..., 0])
    assert list(places[:, 0]) == list(range(200))
    assert len(set(map(tuple, places[:, 1:]))) == 25
    assert set((places[:, 1:] - 8).ravel()) == {-2, -1, 0, 1, 2}


def test_cutout_hides_one_square_a_quarter_as_wide_as_the_shorter_side():
    images = noise(500, 24, 40, 3, high=100)
    result = augmented(images, "cutout")
    hidden = (result != images).any(-1)
    assert np.all(result[hidden] == 127)
    np.testing.assert_array_equal(hidden, hidden.any(2)[:, :, None] & hidden.any(1)[:, None, :])
    heights, widths = hidden.any(2).sum(1), hidden.any(1).sum(1)
    inside = ~(hidden[:, [0, -1]].any((1, 2)) | hidden[:, :, [0, -1]].any((1, 2)))
    assert inside.sum() > 250 and np.all(heights[inside] == 6) and np.all(widths[inside] == 6)
    assert set(heights) == set(widths) == {3, 4, 5, 6}  # the center comes to lie on the border too
    assert hidden.any(0).all()


def test_cutout_is_8_pixels_of_32():
    hidden = augmented(np.zeros((50, 32, 32, 1), np.uint8), "cutout")[..., 0] > 0
    assert hidden.sum((1, 2)).max() == 64


def test_color_draws_each_factor_between_06_and_14():
    image = noise(1, 12, 12, 3, low=70, high=121)
    result = augmented(np.repeat(image, 500, 0), "color").astype(float)
    luma, luma_before = (values @ [0.299, 0.587, 0.114] for values in (result, image))
    brightness = luma.mean((1, 2)) / luma_before.mean()
    contrast = luma.std((1, 2)) / luma_before.std() / brightness
    spread, spread_before = (
        (values[..., 0] - values[..., 2]).std((1, 2)) for values in (result, image.astype(float))
    )
    saturation = spread / spread_before / brightness / contrast
    for factor in (brightness, contrast, saturation):
        assert 0.58 < factor.min() < 0.63 and 1.37 < factor.max() < 1.42
        assert abs(factor.mean() - 1) < 0.05
    assert np.all(np.abs(np.corrcoef([brightness, contrast, saturation]) - np.eye(3)) < 0.15)


def test_color_keeps_gray_images_gray_whatever_their_channels():
    gray = noise(50, 8, 8, 1)
    of_three = augmented(np.repeat(gray, 3, -1), "color")
    assert np.all(np.ptp(of_three, -1) == 0)
    difference = of_three[..., :1].astype(int) - augmented(gray, "color")
    assert np.abs(difference).max() <= 1


def test_randaugment_leaves_the_expected_share_unchanged():
    images = noise(4000, 20, 20, 3, low=30, high=220)  # no operation but identity leaves these
    same = (augmented(images, "randaugment") == images).all((1, 2, 3)).sum()
    expected = 4000 / len(RANDAUGMENT) ** 2
    assert abs(same - expected) < 3 * np.sqrt(expected)


def every_operation(images: np.ndarray) -> np.ndarray:
    """(operations x signs x B, H, W, C)"""
    signs = (np.full(len(images), sign, np.float32) for sign in (-1, 1))
    return np.concatenate(
        [operation(tf.constant(images), sign) for sign in signs for operation in RANDAUGMENT.values()]
    )


@pytest.mark.slow
def test_randaugment_draws_two_operations_per_image():
    images = noise(40, 8, 10, 3, low=30, high=220)
    result = augmented(images, "randaugment")
    different = set()
    for image, new in zip(images, result, strict=True):
        ways = every_operation(every_operation(image[None]))
        found = np.flatnonzero((ways == new).all((1, 2, 3)))
        assert len(found)
        different.add(found[0])
    assert len(different) > 25


PILLOW = {
    "identity": lambda image, _: image,
    "autocontrast": lambda image, _: ImageOps.autocontrast(image),
    "equalize": lambda image, _: ImageOps.equalize(image),
    "posterize": lambda image, _: ImageOps.posterize(image, 7),
    "solarize": lambda image, _: ImageOps.solarize(image, 179),
    "brightness": lambda image, sign: ImageEnhance.Brightness(image).enhance(1 + 0.27 * sign),
    "contrast": lambda image, sign: ImageEnhance.Contrast(image).enhance(1 + 0.27 * sign),
    "saturation": lambda image, sign: ImageEnhance.Color(image).enhance(1 + 0.27 * sign),
    "sharpness": lambda image, sign: ImageEnhance.Sharpness(image).enhance(1 + 0.27 * sign),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", PILLOW)
def test_operations_on_colors_are_pillows(name, channels):
    images = np.stack([noise(20, 30, channels, low=20, high=high) for high in (90, 200, 255)])
    for sign in (-1.0, 1.0):
        result = RANDAUGMENT[name](tf.constant(images), tf.fill(3, sign)).numpy()
        for new, image in zip(result, images, strict=True):
            picture = Image.fromarray(image[..., 0] if channels == 1 else image)
            expected = np.asarray(PILLOW[name](picture, sign)).reshape(image.shape)
            difference = np.abs(new.astype(int) - expected)
            inner = difference[1:-1, 1:-1] if name == "sharpness" else difference  # Pillow leaves the edge
            assert inner.max() <= 1  # Pillow cuts off fractions


SIN, COS = np.sin(np.radians(9)), np.cos(np.radians(9))
MOVES = {  # name: how a pixel (row, column) from the center finds its source, (matrix, shift) for sign +1
    "shear_x": ([[1, 0], [0.09, 1]], [0, 0]),
    "shear_y": ([[1, 0.09], [0, 1]], [0, 0]),
    "translate_x": ([[1, 0], [0, 1]], [0, 4]),
    "translate_y": ([[1, 0], [0, 1]], [3, 0]),
    "rotate": ([[COS, SIN], [-SIN, COS]], [0, 0]),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", MOVES)
def test_moves_are_scipys(name, channels):
    matrix, shift = map(np.array, MOVES[name])
    images = noise(2, 20, 30, channels)
    result = RANDAUGMENT[name](tf.constant(images), tf.constant([1.0, -1.0])).numpy()
    center = np.array([9.5, 14.5])
    for new, image, way in zip(result, images, (1, -1), strict=True):
        turned = np.diag(np.diag(matrix)) + way * (matrix - np.diag(np.diag(matrix)))
        offset = center + way * shift - turned @ center
        for plane, expected in zip(np.moveaxis(new, -1, 0), np.moveaxis(image, -1, 0), strict=True):
            moved = affine_transform(
                expected.astype(float), turned, offset, order=1, mode="grid-constant", cval=127
            )
            np.testing.assert_allclose(plane, moved, atol=1.01)  # TensorFlow cuts off fractions


def test_parse_augmentation_orders_and_checks_names():
    assert parse_augmentation("none") == ()
    assert parse_augmentation("crop+flip") == ("crop", "flip")
    assert parse_augmentation("cutmix+crop+mixup+flip") == ("crop", "flip", "cutmix", "mixup")
    with pytest.raises(
        InputError, match=r"'flop'. Did you mean 'flip'\? There is: color, crop, cutmix, cutout"
    ):
        parse_augmentation("flop")


def test_each_augmentation_in_turn_sees_what_the_one_before_left():
    images = noise(32, 16, 16, 1, low=200)
    dark = augment(tf.constant(images), ("cutout", "color"), tf.constant([0, 0])).numpy()
    gray = augment(tf.constant(images), ("color", "cutout"), tf.constant([0, 0])).numpy()
    assert (gray == 127).any((1, 2, 3)).all()
    assert not (dark == 127).any((1, 2, 3)).all()


def test_quarter_turns_are_those_of_numpy():
    images = noise(200, 6, 6, 3)
    turned = augmented(images, "rotate90")
    found = [
        next(k for k in range(4) if np.array_equal(new, np.rot90(old, k)))
        for new, old in zip(turned, images, strict=True)
    ]
    assert all(30 < found.count(k) < 70 for k in range(4))
    wide = noise(60, 4, 6, 1)
    for new, old in zip(augmented(wide, "rotate90"), wide, strict=True):
        assert np.array_equal(new, old) or np.array_equal(new, old[::-1, ::-1])


def test_rotations_turn_about_the_center_by_at_most_15_degrees():
    images = np.zeros((300, 65, 65, 1), np.uint8)
    images[:, 32, 62] = 255  # 30 pixels right of the center
    turned = augmented(images, "rotate")
    places = np.array([np.unravel_index(image.argmax(), (65, 65)) for image in turned[..., 0]]) - 32
    radii, angles = np.hypot(*places.T), np.degrees(np.arctan2(*places.T))
    assert np.abs(radii - 30).max() < 1
    assert angles.min() < -12 and angles.max() > 12 and np.abs(angles).max() < 16.5


@pytest.mark.parametrize(
    "names", [*((name,) for name in FOR_MASKS), tuple(FOR_MASKS), ("cutout", "flip", "color")], ids=str
)
def test_masks_move_as_their_images(names):
    """A picture of two tones is its own mask, so that after the same moves one still follows from the other."""
    masks = np.repeat(np.repeat(noise(16, 4, 4, high=2), 8, axis=1), 8, axis=2)
    images, seed = tf.constant(masks[..., None] * 255), tf.constant([1, 2])
    moved = augment_masks(tf.constant(masks), names, seed).numpy()
    picture = augment(
        images, tuple(name for name in names if name in FOR_MASKS) if len(names) == 1 else names, seed
    )
    assert moved.dtype == np.uint8 and set(np.unique(moved)) == {0, 1}
    assert not np.array_equal(moved, masks)
    if "cutout" not in names:
        blurred = "rotate" in names  # the image is interpolated, the mask is not
        assert np.mean((picture[..., 0].numpy() > 127) != moved) <= (0.02 if blurred else 0)
    else:
        assert np.array_equal(moved, augment_masks(tf.constant(masks), ("cutout", "flip"), seed))


@pytest.mark.parametrize("name", ["mixup", "cutmix", "randaugment"])
def test_what_masks_cannot_follow_is_refused(name):
    with pytest.raises(InputError, match=f"{name}.*Allowed: color, crop, cutout, flip, rotate, rotate90"):
        check_for_masks(("flip", name))


def test_masks_move_with_their_images_after_a_color_change():
    masks = np.zeros((64, 8, 8), np.uint8)
    masks[:, :, :4] = 1
    images, seed = np.repeat(100 * masks[..., None] + 50, 3, axis=-1), tf.constant([1, 2])
    moved = augment(tf.constant(images), ("color", "flip"), seed).numpy().astype(int)
    flipped = moved[:, 0, 0, 0] < moved[:, 0, -1, 0]
    assert 0 < flipped.sum() < 64
    found = augment_masks(tf.constant(masks), ("color", "flip"), seed).numpy()
    np.testing.assert_array_equal(found[:, 0, 0] == 0, flipped)


@pytest.mark.parametrize("name", [*IMAGE_AUGMENTATIONS])
def test_augment_of_floats_in_another_range_equals_that_of_pixels(name):
    """But for the rounding of 8 bits."""
    images = np.random.default_rng(0).integers(0, 256, (16, 12, 12, 3), np.uint8)
    seed = tf.constant([1, 2])
    expected = augment(tf.constant(images), (name,), seed).numpy().astype(float) / 255 * 4 - 2
    found = augment(tf.constant(images / 255 * 4 - 2, tf.float32), (name,), seed, (-2.0, 2.0)).numpy()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=4 * 1.01 / 255)


def test_augment_of_colors_refuses_other_channel_counts():
    with pytest.raises(InputError, match="augmentation 'color' needs images of 1 or 3 channels, not 5"):
        check_channels(("flip", "color"), 5)
