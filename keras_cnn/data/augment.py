"""Augmentation of whole batches in the input pipeline: uint8 in, uint8 out, a pure function of a seed.

It stands here and not in the model, because an exported model would go on augmenting.
"""

import tensorflow as tf

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


AUGMENTATIONS = {"flip": flip, "crop": crop}


def parse_augmentation(text: str) -> tuple[str, ...]:
    """`none` -> (); `flip+crop` -> ("flip", "crop"). InputError lists what there is."""
    names = () if text == "none" else tuple(text.split("+"))
    for name in names:
        if name not in AUGMENTATIONS:
            raise unknown_name("augmentation", name, [*AUGMENTATIONS, "none"])
    return names


def augment(images: tf.Tensor, names: tuple[str, ...], seed: tf.Tensor) -> tf.Tensor:
    """Apply the named augmentations in turn. seed: two integers; the same seed gives the same images."""
    for index, name in enumerate(names):
        images = AUGMENTATIONS[name](images, tf.random.fold_in(seed, index))
    return images
