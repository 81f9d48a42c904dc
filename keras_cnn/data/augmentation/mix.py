"""Augmentations that mix each image with a partner, and their labels in the same shares.

(images (B, H, W, C), uint8 or float32, labels float32 (B, classes), seed) -> the same types; a row of the labels is a
distribution. The partner is the next image of the batch: batches come shuffled, so it is as random as any. The
share is drawn for each image and not once a batch, as the papers' code does: it costs nothing here and the steps
of a run differ less.
"""

import tensorflow as tf

from keras_cnn.data.augmentation.color import to_pixels

MIXUP_ALPHA = 0.2


def mixup(images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """share * image + (1 - share) * partner with share ~ Beta(0.2, 0.2) (Zhang et al. 2018, arXiv:1710.09412).

    Of share and 1 - share the image takes the larger: the same pairs are as likely, but none of the batch's images
    is nearly lost while its neighbor is there twice.
    """
    gammas = tf.random.stateless_gamma((2, tf.shape(images)[0]), seed, MIXUP_ALPHA)
    share = tf.math.divide_no_nan(gammas[0], gammas[0] + gammas[1])  # so small an alpha may make both 0
    share = tf.maximum(share, 1 - share)
    values = tf.cast(images, tf.float32)
    mixed = _between(values, share[:, None, None, None])
    return to_pixels(mixed) if images.dtype == tf.uint8 else mixed, _between(labels, share[:, None])


def cutmix(images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Paste a rectangle of the partner in; labels share as the pixels do (Yun et al. 2019, arXiv:1905.04899).

    The rectangle has the image's proportions and an area drawn from Beta(1, 1), the uniform distribution, before
    the border cuts it; the labels' share is counted after.
    """
    _, height, width, _ = images.shape
    side = tf.sqrt(tf.random.stateless_uniform(tf.shape(images)[:1], tf.random.fold_in(seed, 0)))
    heights, widths = (tf.cast(side * length, tf.int32) for length in (height, width))
    pasted = rectangles(images, heights, widths, tf.random.fold_in(seed, 1))
    share = 1 - tf.reduce_mean(tf.cast(pasted, tf.float32), [1, 2, 3])
    return tf.where(pasted, _partner(images), images), _between(labels, share[:, None])


MIXES = {"mixup": mixup, "cutmix": cutmix}


def mix(
    images: tf.Tensor, labels: tf.Tensor, names: tuple[str, ...], seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Apply the named ones of MIXES in turn. seed: two integers; the same seed gives the same batch."""
    for index, name in enumerate(names):
        images, labels = MIXES[name](images, labels, tf.random.fold_in(seed, index))
    return images, labels


def rectangles(images: tf.Tensor, heights: tf.Tensor, widths: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """One rectangle an image, centered on any of its pixels and cut at its border: bool (B, H, W, 1).

    heights, widths: int32 (B,), in pixels.
    """
    sides = [(images.shape[1], heights), (images.shape[2], widths)]
    rows, columns = (
        _interval(length, size, tf.random.fold_in(seed, axis)) for axis, (length, size) in enumerate(sides)
    )
    return (rows[:, :, None] & columns[:, None, :])[..., None]


def _interval(length: int, sizes: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """`sizes` pixels of `length` around a random one: bool (B, length)."""
    center = tf.random.stateless_uniform(tf.shape(sizes), seed, 0, length, tf.int32)
    start = (center - sizes // 2)[:, None]
    return (tf.range(length) >= start) & (tf.range(length) < start + sizes[:, None])


def _between(values: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    return share * values + (1 - share) * _partner(values)


def _partner(values: tf.Tensor) -> tf.Tensor:
    return tf.roll(values, -1, axis=0)
