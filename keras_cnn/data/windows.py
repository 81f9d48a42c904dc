"""Windows of images: what a net of a fixed size sees of larger ones, to train on, to validate on, and to predict.

A net whose convolutions pad answers all that it sees; one without padding answers the center alone. Images are
reflected at their borders, so that every pixel is in some center (Ronneberger et al. 2015, section 2: overlap-tile).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keras_cnn.data import array_store
from keras_cnn.data.dataset import Split
from keras_cnn.errors import InputError


@dataclass(frozen=True)
class Window:
    """size: (height, width) that a net sees. inner: (height, width) of the center of it that the net answers."""

    size: tuple[int, int]
    inner: tuple[int, int]

    def count(self, images: int, shape: tuple[int, ...]) -> int:
        """How many cover all pixels of `images` images (H, W, ...) once."""
        sides = zip(shape[:2], self.inner, strict=True)
        return images * math.prod(math.ceil(side / part) for side, part in sides)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError if images (H, W, ...) are smaller than what the net answers of them."""
        if any(part > side for part, side in zip(self.inner, shape[:2], strict=True)):
            raise InputError(
                f"the images are {shape[0]} x {shape[1]} (height x width), smaller than the {self.inner[0]} x "
                f"{self.inner[1]} that the net answers. Give a smaller --crop_size, or a larger --image_size."
            )

    def view(self, pixels: np.ndarray, top: int, left: int) -> np.ndarray:
        """Pixels (H, W, ...) -> (*size, ...): the window whose center begins at row `top` and column `left`."""
        rows, columns = (
            _reflected(start - (side - part) // 2, side, length)
            for start, side, part, length in zip(
                (top, left), self.size, self.inner, pixels.shape[:2], strict=True
            )
        )
        return pixels[np.ix_(rows, columns)]

    def center(self, masks):
        """Masks (B, *size), an array or a tensor -> (B, *inner)."""
        (top, height), (left, width) = (
            ((side - part) // 2, part) for side, part in zip(self.size, self.inner, strict=True)
        )
        return masks[:, top : top + height, left : left + width]


def cut(split: Split, window: Window) -> Split:
    """The windows that cover each image, side by side, the last ones moved inwards, with the masks of their centers."""
    if window.size == window.inner == split.images.shape[1:3]:
        return split
    rows, columns = (
        _starts(side, part) for side, part in zip(split.labels.shape[1:], window.inner, strict=True)
    )
    corners = [(index, top, left) for index in range(len(split)) for top in rows for left in columns]
    images = array_store.empty((len(corners), *window.size, split.images.shape[3]), split.images.dtype)
    masks = array_store.empty((len(corners), *window.inner))
    for place, (index, top, left) in enumerate(corners):
        images[place] = window.view(split.images[index], top, left)
        masks[place] = window.center(window.view(split.labels[index], top, left)[None])[0]
    return Split(images, masks)


def predict_image(
    predict: Callable[[np.ndarray], np.ndarray], image: np.ndarray, window: Window
) -> np.ndarray:
    """Probabilities float32 (H, W, K) of an image (H, W, C) of any size, from windows that overlap by half.

    predict: (B, *size, C) -> (B, *inner, K). Where windows overlap, each counts the more, the nearer the pixel is to
    its center, so that none leaves a seam (as in nnU-Net: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z).
    """
    height, width = image.shape[:2]
    if (height, width) == window.size == window.inner:
        return predict(image[None])[0]
    rows, columns = (
        _starts(side, part, part // 2) for side, part in zip((height, width), window.inner, strict=True)
    )
    weight = np.outer(*(_triangle(part) for part in window.inner))[..., None]
    total: np.ndarray | None = None
    for top in rows:  # a row of windows at a time, for images may be large
        answers = predict(np.stack([window.view(image, top, left) for left in columns]))
        if total is None:
            total = np.zeros((height, width, answers.shape[-1]), np.float32)
            weights = np.zeros((height, width, 1), np.float32)
        for left, answer in zip(columns, answers, strict=True):
            place = np.s_[top : top + window.inner[0], left : left + window.inner[1]]
            room = total[place].shape[:2]  # less than a window's where the image is smaller than one
            total[place] += (weight * answer)[: room[0], : room[1]]
            weights[place] += weight[: room[0], : room[1]]
    assert total is not None, "the grid has a row"
    return total / weights


def _starts(length: int, part: int, step: int | None = None) -> list[int]:
    """Where parts begin that cover `length`, `step` apart (default: side by side); the last ends where it ends."""
    return [*range(0, length - part, max(1, step or part)), max(0, length - part)]


def _reflected(start: int, count: int, length: int) -> np.ndarray:
    """The positions start, start + 1, ... of an axis that is reflected beyond 0 and `length` - 1."""
    period = max(1, 2 * (length - 1))
    positions = np.arange(start, start + count) % period
    return np.minimum(positions, period - positions) if length > 1 else positions


def _triangle(length: int) -> np.ndarray:
    """1 in the middle, falling towards the ends, nowhere 0."""
    distance = np.abs(np.arange(length) - (length - 1) / 2)
    return (1 - distance / (length / 2 + 0.5)).astype(np.float32)
