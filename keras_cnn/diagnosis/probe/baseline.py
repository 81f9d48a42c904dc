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
    from sklearn.linear_model import Ridge  # half a second, which `--help` need not wait for

    x, count = small_pictures(sample.x).astype("float64"), len(sample) - sample.held_out
    penalty = RIDGE * np.linalg.norm(x[:count] - x[:count].mean(axis=0), 2) ** 2
    fitted = Ridge(penalty, solver="svd").fit(x[:count], targets[classes[:count]])
    return explained_entropy(classes[count:], fitted.predict(x[count:]))


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
