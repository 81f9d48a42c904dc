"""RandAugment (Cubuk et al. 2020, arXiv:1909.13719) of whole batches: uint8 in, uint8 out."""

import math
from collections.abc import Callable
from functools import partial

import tensorflow as tf

from keras_cnn.data.augmentation import color as colors
from keras_cnn.data.augmentation.color import GRAY

MAGNITUDE = 9 / 30  # RandAugment's M as a share of the strongest setting, given beside it
SHEAR, SHIFT, ANGLE, ENHANCE = (MAGNITUDE * most for most in (0.3, 150 / 331, math.radians(30), 0.9))


def _enhance(operation: Callable, images: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    factor = 1 + ENHANCE * sign[:, None, None, None]
    return colors.to_pixels(operation(tf.cast(images, tf.float32), factor))


def _warp(
    images: tf.Tensor,
    sign: tf.Tensor,
    *,
    diagonal: float = 1.0,
    off: tuple[float, float] = (0.0, 0.0),
    shift: tuple[float, float] = (0.0, 0.0),
) -> tf.Tensor:
    """Pixel (x, y), seen from the center, comes from [[diagonal, off[0]], [off[1], diagonal]] @ (x, y) + shift.

    `sign` (B,) turns off and shift round. shift: as a share of (W, H), in whole pixels, so that it blurs nothing.
    Bilinear; gray comes from outside.
    """
    height, width = images.shape[1:3]
    x, y = (width - 1) / 2, (height - 1) / 2
    right, down = round(shift[0] * width), round(shift[1] * height)
    straight = [diagonal, 0.0, x - diagonal * x, 0.0, diagonal, y - diagonal * y, 0.0, 0.0]
    signed = [0.0, off[0], right - off[0] * y, off[1], 0.0, down - off[1] * x, 0.0, 0.0]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.constant(straight) + sign[:, None] * tf.constant(signed),
        output_shape=(height, width),
        fill_value=float(GRAY),
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


# (uint8 (B, H, W, C), sign float32 (B,) of +1 and -1) -> uint8 (B, H, W, C)
RANDAUGMENT: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "identity": lambda images, _: images,
    "autocontrast": lambda images, _: colors.autocontrast(images),
    "equalize": lambda images, _: colors.equalize(images),
    "posterize": lambda images, _: colors.posterize(images, 8 - round(4 * MAGNITUDE)),
    "solarize": lambda images, _: colors.solarize(images, math.ceil(colors.WHITE * (1 - MAGNITUDE))),
    "brightness": partial(_enhance, colors.brightness),
    "contrast": partial(_enhance, colors.contrast),
    "saturation": partial(_enhance, colors.saturation),
    "sharpness": partial(_enhance, colors.sharpness),
    "shear_x": partial(_warp, off=(SHEAR, 0.0)),
    "shear_y": partial(_warp, off=(0.0, SHEAR)),
    "translate_x": partial(_warp, shift=(SHIFT, 0.0)),
    "translate_y": partial(_warp, shift=(0.0, SHIFT)),
    "rotate": partial(_warp, diagonal=math.cos(ANGLE), off=(-math.sin(ANGLE), math.sin(ANGLE))),
}


def randaugment(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Two operations drawn for each image from fourteen, at magnitude 9 of 30; (B, H, W, C).

    Torchvision's ranges; shears are about the center. An operation
    that has a direction takes either with probability 1/2. Each works on the part of the batch that drew it, over
    ten times as fast as all of them on all images. Its operations are those of 8 bits: float32 images, in 0..255, are
    rounded to whole numbers.
    """
    if images.dtype != tf.uint8:
        return tf.cast(randaugment(colors.to_pixels(images), seed), images.dtype)
    count, kinds = tf.shape(images)[:1], len(RANDAUGMENT)
    for index in range(2):
        drawn = tf.random.fold_in(seed, index)
        chosen = tf.random.stateless_uniform(count, tf.random.fold_in(drawn, 0), 0, kinds, tf.int32)
        positive = tf.random.stateless_uniform(count, tf.random.fold_in(drawn, 1)) < 0.5
        images = _apply_chosen(images, chosen, tf.where(positive, 1.0, -1.0))
    return images


def _apply_chosen(images: tf.Tensor, chosen: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    """Each operation on the images that drew it, then all of them back in their places."""
    places, *arguments = (
        tf.dynamic_partition(values, chosen, len(RANDAUGMENT))
        for values in (tf.range(tf.shape(images)[0]), images, sign)
    )
    done = [operation(*part) for operation, *part in zip(RANDAUGMENT.values(), *arguments, strict=True)]
    return tf.ensure_shape(tf.dynamic_stitch(places, done), images.shape)
