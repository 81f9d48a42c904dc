"""A few batches in memory, from whatever a user holds data in."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_cnn.errors import InputError

BATCH_SIZE = 64  # of arrays, and unless told otherwise
HELD_OUT = 256
RENUMBER_LABELS_HINT = "np.unique(y, return_inverse=True)[1] counts classes from 0"
MASK_PIXELS = 2**20  # held out of masks, but at least eight of them


@dataclass(frozen=True)
class Sample:
    """x: (N, ...) as the net takes it. y: classes (N,), distributions (N, classes) or masks (N, H, W).
    batch_size: of a training step."""

    x: np.ndarray
    y: np.ndarray
    batch_size: int

    def __len__(self) -> int:
        return len(self.x)

    @property
    def held_out(self) -> int:
        """How many images, the last ones, are measured on and not trained on: 256, fewer large ones with masks, whose
        every pixel counts, or a quarter of few."""
        most = HELD_OUT
        if self.y.ndim > 2:
            most = min(HELD_OUT, max(8, MASK_PIXELS // math.prod(self.y.shape[1:3])))
        return min(most, max(1, len(self) // 4))

    def batches(self, steps: int, seed: int = 0) -> np.ndarray:
        """Indices of `steps` batches, (steps, batch), of images that are not held out: every one once, shuffled,
        before one comes again."""
        count = len(self) - self.held_out
        random, size = np.random.default_rng(seed), min(self.batch_size, count)
        rounds = max(1, -(-steps * size // count))
        order = np.concatenate([random.permutation(count) for _ in range(rounds)])
        return order[: steps * size].reshape(steps, size)


def sample_of(data: Any, images: int, batch_size: int | None = None) -> Sample:
    """At most `images` images of `data`, all that fit where it holds fewer.

    data: a pair of arrays (x, y), drawn from at random; or what gives batches (x, y), a `tf.data.Dataset` or a
    `keras.utils.PyDataset`, whose first ones are taken. InputError for anything else, and for less than two images.
    """
    if isinstance(data, tuple | list) and len(data) == 2 and all(hasattr(part, "shape") for part in data):
        x, y, size = _drawn(np.asarray(data[0]), np.asarray(data[1]), images)
    elif isinstance(data, Iterable):
        x, y, size = _first(data, images)
    else:
        raise InputError(f"data of {type(data).__name__} are neither arrays (x, y) nor batches of such.")
    if len(x) < 2:
        raise InputError(
            f"{len(x)} images are too few to diagnose with: at least 2 are needed, better 1,000."
        )
    for part, name, mend in ((x, "images", "load them as arrays"), (y, "labels", RENUMBER_LABELS_HINT)):
        if part.dtype.kind not in "biuf":
            raise InputError(f"{name} of type {part.dtype} are no numbers: {mend}.")
    return Sample(x, y, batch_size or size)


def _drawn(x: np.ndarray, y: np.ndarray, images: int) -> tuple[np.ndarray, np.ndarray, int]:
    if len(x) != len(y):
        raise InputError(f"{len(x)} images and {len(y)} labels: there must be one for each.")
    chosen = np.random.default_rng(0).permutation(len(x))[:images]
    return x[chosen], y[chosen], BATCH_SIZE


def _first(batches: Iterable, images: int) -> tuple[np.ndarray, np.ndarray, int]:
    xs: list[np.ndarray] = []
    ys: list[np.ndarray] = []
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise InputError("data must give batches (x, y), images with their labels.")
        xs.append(np.asarray(batch[0]))
        ys.append(np.asarray(batch[1]))
        if not xs[-1].ndim or not ys[-1].ndim or len(xs[-1]) != len(ys[-1]):
            raise InputError(
                "data must give batches (x, y) of equally many images and labels: call .batch(64)."
            )
        if sum(map(len, xs)) >= images:
            break
    if not xs:
        raise InputError("data give no batch.")
    return np.concatenate(xs)[:images], np.concatenate(ys)[:images], len(xs[0])
