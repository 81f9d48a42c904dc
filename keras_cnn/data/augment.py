"""Augmentation of whole batches in the input pipeline: uint8 in, uint8 out, a pure function of a seed.

It stands here and not in the model, because an exported model would go on augmenting.
"""

import tensorflow as tf

from keras_cnn.data.colour import GREY, colour
from keras_cnn.data.mix import MIXES, rectangles
from keras_cnn.data.randaugment import randaugment
from keras_cnn.errors import unknown_name


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
    """Hide a square of 1/4 of the shorter side (8 pixels of 32) under grey; (B, H, W, C).

    Its centre is any pixel, so a part of it may lie outside (DeVries & Taylor 2017, arXiv:1708.04552, who take
    16 pixels for CIFAR-10 and 8 for CIFAR-100).
    """
    side = tf.fill(tf.shape(images)[:1], max(1, min(images.shape[1:3]) // 4))
    return tf.where(rectangles(images, side, side, seed), tf.constant(GREY, tf.uint8), images)


ALONE = {"flip": flip, "crop": crop, "cutout": cutout, "colour": colour, "randaugment": randaugment}
AUGMENTATIONS = (*ALONE, *MIXES)


def parse_augmentation(text: str) -> tuple[str, ...]:
    """`none` -> (); `mixup+flip` -> ("flip", "mixup"): in the order given, those of MIXES last.

    InputError lists what there is.
    """
    names = () if text == "none" else tuple(text.split("+"))
    for name in names:
        if name not in AUGMENTATIONS:
            raise unknown_name("augmentation", name, [*AUGMENTATIONS, "none"])
    return tuple(sorted(names, key=MIXES.__contains__))


def augment(images: tf.Tensor, names: tuple[str, ...], seed: tf.Tensor) -> tf.Tensor:
    """Apply the named ones of ALONE in turn. seed: two integers; the same seed gives the same images."""
    for index, name in enumerate(names):
        images = ALONE[name](images, tf.random.fold_in(seed, index))
    return images
