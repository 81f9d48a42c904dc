"""Augmentation of whole batches in the input pipeline: same type in and out, a pure function of a seed.

It is not part of the model, because an exported model would go on augmenting.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import tensorflow as tf

from keras_cnn.data.augmentation.color import GRAY, color
from keras_cnn.data.augmentation.mix import MIXES, rectangles
from keras_cnn.data.augmentation.randaugment import randaugment
from keras_cnn.data.value_range import PIXELS, rescale
from keras_cnn.errors import InputError, unknown_name

MOST_ROTATED = math.radians(15)


def flip(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirror each image left to right with probability 1/2; (B, H, W, C)."""
    mirrored = tf.random.stateless_uniform(tf.shape(images)[:1], seed) < 0.5
    return tf.where(mirrored[:, None, None, None], tf.reverse(images, [2]), images)


def crop(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Shift each image by up to 1/8 of its sides (4 pixels of 32), the edge reflected; (B, H, W, C)."""
    _, height, width, _ = images.shape
    rows, columns = max(1, height // 8), max(1, width // 8)
    padded = tf.pad(images, [[0, 0], [rows, rows], [columns, columns], [0, 0]], mode="REFLECT")
    count = tf.shape(images)[:1]
    top = tf.random.stateless_uniform(count, tf.random.fold_in(seed, 0), 0, 2 * rows + 1, tf.int32)
    left = tf.random.stateless_uniform(count, tf.random.fold_in(seed, 1), 0, 2 * columns + 1, tf.int32)
    cropped = tf.gather(padded, top[:, None] + tf.range(height), axis=1, batch_dims=1)
    return tf.gather(cropped, left[:, None] + tf.range(width), axis=2, batch_dims=1)


def cutout(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Hide a square of 1/4 of the shorter side (8 pixels of 32) under gray; (B, H, W, C).

    Its center is any pixel, so a part of it may lie outside (DeVries & Taylor 2017, arXiv:1708.04552, who take
    16 pixels for CIFAR-10 and 8 for CIFAR-100).
    """
    side = tf.fill(tf.shape(images)[:1], max(1, min(images.shape[1:3]) // 4))
    return tf.where(rectangles(images, side, side, seed), tf.constant(GRAY, images.dtype), images)


def rotate(images: tf.Tensor, seed: tf.Tensor, interpolation: str = "BILINEAR") -> tf.Tensor:
    """Turn each image about its center by up to 15 degrees either way, the edge reflected; (B, H, W, C)."""
    angles = tf.random.stateless_uniform(tf.shape(images)[:1], seed, -MOST_ROTATED, MOST_ROTATED)
    y, x = (images.shape[1] - 1) / 2, (images.shape[2] - 1) / 2
    cosine, sine, zero = tf.cos(angles), tf.sin(angles), tf.zeros_like(angles)
    rows = [cosine, -sine, x - x * cosine + y * sine, sine, cosine, y - x * sine - y * cosine, zero, zero]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack(rows, axis=1),
        output_shape=images.shape[1:3],
        fill_value=0.0,
        interpolation=interpolation,
        fill_mode="REFLECT",
    )


def rotate90(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Turn each image by 0, 90, 180 or 270 degrees, or by 0 or 180 where it is no square; (B, H, W, C)."""
    _, height, width, channels = images.shape
    positions = np.arange(height * width).reshape(height, width)
    turned = [
        np.rot90(positions, quarters).ravel() for quarters in ((0, 1, 2, 3) if height == width else (0, 2))
    ]
    drawn = tf.random.stateless_uniform(tf.shape(images)[:1], seed, 0, len(turned), tf.int32)
    pixels = tf.reshape(
        images, (-1, height * width, channels)
    )  # `tf.transpose` of uint8 complains on some processors
    turned_pixels = tf.gather(pixels, tf.gather(np.stack(turned), drawn), axis=1, batch_dims=1)
    return tf.ensure_shape(tf.reshape(turned_pixels, tf.shape(images)), images.shape)


IMAGE_AUGMENTATIONS = {
    "flip": flip,
    "crop": crop,
    "rotate": rotate,
    "rotate90": rotate90,
    "cutout": cutout,
    "color": color,
    "randaugment": randaugment,
}
# What moves pixels, as it is done to masks: each one's choices follow from the seed alone, and are those of the image.
FOR_MASKS: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "flip": flip,
    "crop": crop,
    "rotate": partial(rotate, interpolation="NEAREST"),
    "rotate90": rotate90,
}
NOT_FOR_MASKS = ("randaugment", *MIXES)
# those that know black, gray and white: they take 0..255; the colors among them need gray or RGB
OF_PIXELS = ("cutout", "color", "randaugment")
OF_COLORS = ("color", "randaugment")
AUGMENTATIONS = (*IMAGE_AUGMENTATIONS, *MIXES)


def parse_augmentation(text: str) -> tuple[str, ...]:
    """`none` -> (); `mixup+flip` -> ("flip", "mixup"): in the order given, those of MIXES last.

    InputError lists what there is.
    """
    names = () if text == "none" else tuple(text.split("+"))
    for name in names:
        if name not in AUGMENTATIONS:
            raise unknown_name("augmentation", name, [*AUGMENTATIONS, "none"])
    return tuple(sorted(names, key=MIXES.__contains__))


def check_for_masks(names: tuple[str, ...]) -> None:
    """Raise InputError if one of `names` cannot be applied to an image and its mask in the same way."""
    for name in names:
        if name in NOT_FOR_MASKS:
            allowed = ", ".join(sorted(set(AUGMENTATIONS) - set(NOT_FOR_MASKS)))
            raise InputError(f"augmentation {name!r} does not go with masks. Allowed: {allowed}, or none.")


def check_channels(names: tuple[str, ...], channels: int) -> None:
    """Raise InputError if one of `names` works on colors and the images are neither gray nor RGB."""
    for name in names:
        if name in OF_COLORS and channels not in (1, 3):
            raise InputError(
                f"augmentation {name!r} needs images of 1 or 3 channels, not {channels}. Leave it out, as in flip+crop."
            )


def augment(
    images: tf.Tensor,
    names: tuple[str, ...],
    seed: tf.Tensor,
    value_range: tuple[float, float] = PIXELS,
) -> tf.Tensor:
    """Apply the named ones of IMAGE_AUGMENTATIONS in turn.

    Args:
        images: (B, H, W, C), uint8, or float32 in `value_range`.
        names: of the augmentations.
        seed: two integers; the same seed gives the same images.
        value_range: the smallest and the largest value of a pixel.
    """
    for index, name in enumerate(names):
        key, scaled = tf.random.fold_in(seed, index), images.dtype != tf.uint8 and name in OF_PIXELS
        images = rescale(images, value_range, PIXELS) if scaled else images
        images = IMAGE_AUGMENTATIONS[name](images, key)
        images = rescale(images, PIXELS, value_range) if scaled else images
    return images


def augment_masks(masks: tf.Tensor, names: tuple[str, ...], seed: tf.Tensor) -> tf.Tensor:
    """Move masks (B, H, W) as `augment` with the same names and seed moves their images."""
    masks = masks[..., None]
    for index, name in enumerate(names):
        if name in FOR_MASKS:
            masks = FOR_MASKS[name](masks, tf.random.fold_in(seed, index))
    return masks[..., 0]
