"""The images of a batch and what belongs to them, by index. Through NumPy, so that they may be memory-mapped."""

import numpy as np
import tensorflow as tf

from keras_cnn.data.dataset import Split
from keras_cnn.data.windows import Window

# AutoGraph spends seconds on rewriting functions that have no Python `if` or `for` over tensors
unconverted = tf.autograph.experimental.do_not_convert


def fetch(split: Split, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The images (B, H, W, C) at `indices`, and their labels (B,) or masks (B, H, W)."""
    kinds = _kinds(split)
    images, labels = tf.numpy_function(
        lambda rows: (split.images[rows], split.labels[rows]), [indices], kinds, stateful=False
    )
    count = indices.shape[0]
    images.set_shape((count, *split.images.shape[1:]))
    labels.set_shape((count, *split.labels.shape[1:]))
    return images, labels


def fetch_windows(
    split: Split, indices: tf.Tensor, window: Window, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """A random window of each of the images at `indices`, (B, *size, C), and of their masks, (B, *size)."""
    count = indices.shape[0]
    room = [side - part + 1 for side, part in zip(split.labels.shape[1:], window.inner, strict=True)]
    drawn = (
        tf.random.stateless_uniform((count,), tf.random.fold_in(seed, axis), 0, room[axis], tf.int32)
        for axis in (0, 1)
    )
    corners = tf.stack(list(drawn), axis=1)

    def read(rows, corners):
        places = list(zip(rows, *corners.T, strict=True))
        return tuple(
            np.stack([window.view(pixels[row], top, left) for row, top, left in places])
            for pixels in (split.images, split.labels)
        )

    images, masks = tf.numpy_function(read, [indices, corners], _kinds(split), stateful=False)
    images.set_shape((count, *window.size, split.images.shape[3]))
    masks.set_shape((count, *window.size))
    return images, masks


def _kinds(split: Split) -> tuple[tf.DType, tf.DType]:
    return tf.as_dtype(split.images.dtype), tf.as_dtype(split.labels.dtype)
