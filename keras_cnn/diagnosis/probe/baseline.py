"""How hard the data are: the score of a linear classifier of 8x8 images."""

import math

import numpy as np

from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.score import explained_entropy

SIDE = 8  # pixels that images are averaged to, in height and width
RIDGE = 0.01  # penalty / square of the largest singular value


def linear_baseline_score(sample: Sample, width: int) -> float:
    """The score on held-out images of ridge regression on the other images, averaged to 8x8.

    Args:
        sample: images and labels.
        width: number of outputs of the model.

    Returns:
        A score in [0, 1]; NaN if images have no single class, as in segmentation, or are not (N, H, W, C).
    """
    classes = classes_of_images(sample, width)
    targets = np.eye(max(2, width))
    if classes is None or sample.x.ndim != 4 or not 0 <= classes.min() <= classes.max() < len(targets):
        return math.nan
    x, count = small_pictures(sample.x), len(sample) - sample.held_out
    x = x - x[:count].mean(axis=0)
    u, size, v = np.linalg.svd(x[:count], full_matrices=False)
    shrunk = size / np.maximum(size**2 + RIDGE * size[0] ** 2, 1e-30)
    y = targets[classes[:count]]
    kernel = (v.T * shrunk) @ (u.T @ (y - y.mean(axis=0)))
    return explained_entropy(classes[count:], x[count:] @ kernel)


def classes_of_images(sample: Sample, width: int) -> np.ndarray | None:
    """Labels as classes (N,); None if an image has several, as in segmentation."""
    y = sample.y
    classes = y.argmax(-1) if y.ndim == 2 and y.shape[-1] == width > 1 else y.ravel()
    return classes.astype(np.int64) if len(classes) == len(sample) else None


def small_pictures(x: np.ndarray) -> np.ndarray:
    """Images (N, H, W, C) averaged over blocks to about 8x8, flattened: (N, about 8 * 8 * C)."""
    rows, columns = max(1, x.shape[1] // SIDE), max(1, x.shape[2] // SIDE)
    x = x[:, : x.shape[1] // rows * rows, : x.shape[2] // columns * columns].astype("float32")
    blocks = x.reshape(len(x), x.shape[1] // rows, rows, x.shape[2] // columns, columns, -1)
    return blocks.mean(axis=(2, 4)).reshape(len(x), -1)
