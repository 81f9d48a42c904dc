"""Plain numbers of every image of a split: brightness, spread, and a small gray copy of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from keras_cnn.data.dataset import Split
from keras_cnn.data.value_range import displayed

PART = 1000  # images at a time
SMALL = 16  # pixels of a side of the gray copies
FLAT_STD = 4.0  # of 0..255, of all pixels of an image: below it, it is nearly one color


@dataclass(frozen=True)
class Measured:
    """Of N images. brightness, std: (N,), of all pixels, 0..255. small: (N, SMALL, SMALL), gray, 0..255."""

    brightness: np.ndarray
    std: np.ndarray
    small: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        """Rows of the images that are nearly one color."""
        return np.flatnonzero(self.std < FLAT_STD)


def measure_split(split: Split, value_range: tuple[float, float]) -> Measured:
    """Of every image in `split`."""
    parts = list(_parts(split, value_range))
    if not parts:
        return Measured(np.zeros(0), np.zeros(0), np.zeros((0, SMALL, SMALL), np.float32))
    return Measured(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _parts(split: Split, value_range: tuple[float, float]) -> Iterator[tuple[np.ndarray, ...]]:
    for start in range(0, len(split), PART):
        shown = displayed(split.images[start : start + PART], value_range)
        gray = shown.mean(axis=-1, dtype=np.float32)
        # over places and channels: a photo of one hue still differs from place to place
        spread = shown.astype(np.float32).std(axis=(1, 2)).max(axis=-1)
        yield gray.mean(axis=(1, 2)), spread, shrunk(gray)


def shrunk(gray: np.ndarray) -> np.ndarray:
    """Images (N, H, W) as means over SMALL x SMALL fields; of smaller sides a pixel is repeated."""
    for axis in (1, 2):
        edges = np.linspace(0, gray.shape[axis], SMALL + 1)
        starts = np.minimum(edges[:-1].astype(int), gray.shape[axis] - 1)
        if gray.shape[axis] < SMALL:
            gray = np.take(gray, starts, axis=axis)
            continue
        lengths = np.diff([*starts, gray.shape[axis]])
        shape = [1, 1, 1]
        shape[axis] = SMALL
        gray = np.add.reduceat(gray, starts, axis=axis) / lengths.reshape(shape)
    return gray
