"""A sample of the data in memory, from arrays or batches."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_cnn.data.array_rows import rows_task
from keras_cnn.errors import InputError

BATCH_SIZE = 64  # default for arrays
HELD_OUT_IMAGES = 256
RENUMBER_LABELS_HINT = "np.unique(y, return_inverse=True)[1] numbers the classes from 0"
HELD_OUT_MASK_PIXELS = 2**20  # of masks, but at least 8 images


@dataclass(frozen=True)
class Sample:
    """Images and labels in memory.

    Args:
        x: images (N, ...) as the model takes them.
        y: classes (N,), distributions (N, classes) or masks (N, H, W).
        batch_size: images of one training step.
    """

    x: np.ndarray
    y: np.ndarray
    batch_size: int

    def __len__(self) -> int:
        return len(self.x)

    @property
    def held_out(self) -> int:
        """Number of images, the last ones, that are evaluated and not trained on.

        256, fewer if they have large masks, at most a quarter of all.
        """
        count = HELD_OUT_IMAGES
        if self.y.ndim > 2:
            count = min(count, max(8, HELD_OUT_MASK_PIXELS // math.prod(self.y.shape[1:3])))
        return min(count, max(1, len(self) // 4))

    def batches(self, steps: int, seed: int = 0) -> np.ndarray:
        """Indices (steps, batch) of shuffled training images; no image is repeated before all have been used."""
        count = len(self) - self.held_out
        random, size = np.random.default_rng(seed), min(self.batch_size, count)
        rounds = max(1, -(-steps * size // count))
        order = np.concatenate([random.permutation(count) for _ in range(rounds)])
        return order[: steps * size].reshape(steps, size)


def sample_of(data: Any, images: int, batch_size: int | None = None) -> Sample:
    """Take a sample of the data.

    Args:
        data: arrays (x, y), of which images are drawn at random; or an iterable of batches (x, y), such as a
            `tf.data.Dataset` or a `keras.utils.PyDataset`, of which the first ones are used.
        images: maximum number of images.
        batch_size: of a training step; None for that of the data, 64 for arrays.

    Returns:
        The sample.

    Raises:
        InputError: for other data, fewer than two images, values that are not numbers, and labels without classes.
    """
    if isinstance(data, tuple | list) and len(data) == 2 and all(hasattr(part, "shape") for part in data):
        x, y, size = _drawn(np.asarray(data[0]), np.asarray(data[1]), images)
    elif isinstance(data, Iterable):
        x, y, size = _first(data, images)
    else:
        raise InputError(f"data of {type(data).__name__} are neither arrays (x, y) nor batches of arrays.")
    if len(x) < 2:
        raise InputError(f"{len(x)} images are too few for a diagnosis: give at least 2, better 1,000.")
    for part, name, hint in ((x, "images", "load them as arrays"), (y, "labels", RENUMBER_LABELS_HINT)):
        if part.dtype.kind not in "biuf":
            raise InputError(f"{name} of type {part.dtype} are not numbers: {hint}.")
    _check_has_classes(y)
    return Sample(x, y, batch_size or size)


def _check_has_classes(y: np.ndarray) -> None:
    """Raise InputError for labels that are several an image, or values: scores here are of one class each."""
    try:
        task, note = rows_task({"sample": y})
    except InputError:  # distributions over classes
        return
    if task:
        raise InputError(f"a diagnosis needs a class for every image or pixel: {note}.")


def _drawn(x: np.ndarray, y: np.ndarray, images: int) -> tuple[np.ndarray, np.ndarray, int]:
    if len(x) != len(y):
        raise InputError(f"{len(x)} images and {len(y)} labels: give one label per image.")
    chosen = np.random.default_rng(0).permutation(len(x))[:images]
    return x[chosen], y[chosen], BATCH_SIZE


def _first(batches: Iterable, images: int) -> tuple[np.ndarray, np.ndarray, int]:
    xs: list[np.ndarray] = []
    ys: list[np.ndarray] = []
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise InputError("data must yield batches (x, y), images with their labels.")
        xs.append(np.asarray(batch[0]))
        ys.append(np.asarray(batch[1]))
        if not xs[-1].ndim or not ys[-1].ndim or len(xs[-1]) != len(ys[-1]):
            raise InputError("data must yield batches (x, y) with as many labels as images: call .batch(64).")
        if sum(map(len, xs)) >= images:
            break
    if not xs:
        raise InputError("data yield no batch.")
    return np.concatenate(xs)[:images], np.concatenate(ys)[:images], len(xs[0])
