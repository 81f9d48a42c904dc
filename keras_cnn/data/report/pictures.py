"""Images of a data set as elements of a page: a contact sheet, pairs, and a batch as a net gets it."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_cnn.data.dataset import DataFacts, Split
from keras_cnn.data.overlays import mask_overlay
from keras_cnn.data.value_range import displayed
from keras_cnn.task import CLASSIFICATION, SEGMENTATION

PER_CLASS = 10  # images of a class and split on the contact sheet
CLASSES = 30  # on it
BATCH = 16  # images of a batch that is shown
LONGER_SIDE = 96  # px, of a larger image on the page


@dataclass(frozen=True)
class Strip:
    """Images side by side. picture: data URI. alt: in words. columns: how many there are."""

    name: str
    picture: str
    alt: str
    columns: int


def contact_sheet(name: str, split: Split, facts: DataFacts) -> list[Strip]:
    """A strip for each class of a split, evenly over it; of other tasks one, with the masks if there are some."""
    if facts.task != CLASSIFICATION.name:
        rows = np.linspace(0, len(split) - 1, min(PER_CLASS, len(split))).astype(int)
        return [strip(name, [picture_of(split, row, facts) for row in rows], f"{len(rows)} images of {name}")]
    found = []
    for label, class_name in enumerate(facts.classes[:CLASSES]):
        rows = np.flatnonzero(split.labels == label)
        if len(rows):
            rows = rows[np.linspace(0, len(rows) - 1, min(PER_CLASS, len(rows))).astype(int)]
            alt = f"{len(rows)} images of {class_name} in {name}"
            found.append(strip(class_name, [picture_of(split, row, facts) for row in rows], alt))
    return found


def picture_of(split: Split, row: int, facts: DataFacts) -> np.ndarray:
    """uint8 (h, w, 3), not larger than LONGER_SIDE; with its mask over it if it has one."""
    image = displayed(split.images[row], facts.value_range)
    if facts.task == SEGMENTATION.name:
        image = mask_overlay(image, split.labels[row], len(facts.classes))
    step = -(-max(image.shape[:2]) // LONGER_SIDE)
    image = image[::step, ::step]
    return np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image


def batch_strips(images: np.ndarray, facts: DataFacts) -> list[Strip]:
    """The first images of a batch, as the pipeline makes them, in two strips."""
    shown = Split(np.asarray(images[:BATCH]), np.zeros(min(BATCH, len(images)), int))
    pixels = [picture_of(shown, row, facts) for row in range(len(shown))]
    parts = [pixels[place : place + BATCH // 2] for place in range(0, len(pixels), BATCH // 2)]
    return [strip("", part, f"{len(part)} training images after resizing and augmentation") for part in parts]


def strip(name: str, images: Sequence[np.ndarray], alt: str) -> Strip:
    """Images of one size side by side, with a line between them."""
    height, width, _ = images[0].shape
    row = np.full((height, len(images) * (width + 1) - 1, 3), 128, np.uint8)
    for place, image in enumerate(images):
        row[:, place * (width + 1) : place * (width + 1) + width] = image
    return Strip(name, _uri(row), alt, len(images))


def _uri(image: np.ndarray) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
