"""Test images that say most about a model: the most wrong and the least sure ones, and what in them it looks at."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from keras_cnn.data.dataset import DataFacts, Split
from keras_cnn.data.overlays import heat_overlay
from keras_cnn.data.value_range import displayed
from keras_cnn.models.grad_cam import grad_cam

SHOWN = 12  # images of each kind
LONGER_SIDE = 128  # px, of a larger image on the page
MAX_GRAD_CAM_PIXELS = 64 * 64  # of an image; of larger ones it would take longer than a small training may


@dataclass(frozen=True)
class ShownImage:
    """picture: data URI. heat: of the picture with Grad-CAM; empty without. text: what stands below. alt: in words."""

    picture: str
    heat: str
    text: str
    alt: str


def most_wrong(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Rows of wrong answers, those with the highest probability of the predicted class first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != truth)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")][:SHOWN]


def least_sure(probabilities: np.ndarray) -> np.ndarray:
    """Rows with the smallest difference of the two highest probabilities first."""
    highest = np.sort(probabilities, axis=1)[:, -2:]
    return np.argsort(highest[:, -1] - highest[:, 0], kind="stable")[:SHOWN]


def shown_images(
    model: keras.Model, test: Split, probabilities: np.ndarray, rows: np.ndarray, facts: DataFacts
) -> list[ShownImage]:
    """Those of `rows`, with the answer and the truth."""
    images = [test.images[row] for row in rows]
    predicted = probabilities[rows].argmax(axis=1)
    return [
        _shown(image, heat, facts, int(row), probabilities[row], int(test.labels[row]))
        for image, heat, row in zip(images, _heats(model, images, predicted), rows, strict=True)
    ]


def _heats(model: keras.Model, images: Sequence[np.ndarray], classes: np.ndarray) -> list[np.ndarray | None]:
    """Grad-CAM of the predicted class of each image, where that takes little time."""
    small = len(images) and images[0].shape[0] * images[0].shape[1] <= MAX_GRAD_CAM_PIXELS
    maps = grad_cam(model) if small else None
    if maps is None:
        return [None] * len(images)
    return list(maps(np.stack(images), classes.astype(np.int32)).numpy())


def _shown(
    image: np.ndarray, heat: np.ndarray | None, facts: DataFacts, row: int, given: np.ndarray, truth: int
) -> ShownImage:
    guess = int(given.argmax())
    answer = f"{facts.classes[guess]} {given[guess]:.0%}"
    text = answer if guess == truth else f"{answer}, is {facts.classes[truth]} ({given[truth]:.0%})"
    picture = _smaller(displayed(image, facts.value_range))
    overlay = "" if heat is None else to_uri(heat_overlay(picture, heat))
    return ShownImage(to_uri(picture), overlay, text, f"test image {row}: {text}")


def _smaller(image: np.ndarray) -> np.ndarray:
    step = -(-max(image.shape[:2]) // LONGER_SIDE)
    return image[::step, ::step]


def to_uri(image: np.ndarray) -> str:
    """uint8 (H, W, 1 or 3) as a PNG inside a page."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(buffer, format="PNG")
    return png_uri(buffer.getvalue())


def png_uri(png: bytes) -> str:
    """A PNG file inside a page."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
