"""What is known of a data set: plain values that travel in JSON to the model, the trial and the artefact."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Split:
    """Decoded images with their labels.

    images: uint8 (N, H, W, C), values 0..255. labels: indices into `DataFacts.classes`, int64 (N,), or of every
    pixel, uint8 (N, H, W).
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Raw:
    """What a source found, before anything is cut: `splits.assemble` fills what is missing.

    validation, load_test: the source's own splits, None where it has none. test_counts: images per class of
    the own test split, None where telling would mean reading it. mirror, task, notes, license: as in `DataFacts`.
    """

    classes: tuple[str, ...]
    train: Split
    validation: Split | None = None
    load_test: Callable[[], Split] | None = None
    test_counts: list[int] | None = None
    mirror: bool = True
    task: str = "classification"
    notes: tuple[str, ...] = ()
    license: str = ""


@dataclass(frozen=True)
class DataFacts:
    """Facts of one data set as it was split.

    name: as given to `load`, e.g. `cifar10` or `folder:/photos`. shape: (H, W, C) of every image.
    counts: split name -> images per class, or pixels in segmentation, in the order of `classes`; `test` is missing
    where telling would mean reading it.
    mean, variance: per channel, in units of the pixels (0..255), of the *train* split alone.
    mirror: whether an image flipped left to right keeps its class (not so for digits).
    task: classification, a class for every image, or segmentation, a class for every pixel.
    notes: what a user should know of the data (skipped files, images in two splits).
    license: of the data, empty where it is not known.
    """

    name: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    counts: dict[str, list[int]]
    mean: tuple[float, ...]
    variance: tuple[float, ...]
    mirror: bool = True
    task: str = "classification"
    notes: tuple[str, ...] = ()
    license: str = ""

    def images(self, split: str) -> int:
        """How many images `split` has."""
        height, width, _ = self.shape
        return sum(self.counts[split]) // (height * width if self.task == "segmentation" else 1)

    def to_dict(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "DataFacts":
        tuples = {key: tuple(values[key]) for key in ("shape", "classes", "mean", "variance", "notes")}
        return cls(**{**values, **tuples})


@dataclass(frozen=True)
class ImageData:
    """A data set ready to train on. `load_test` reads the test split, which nothing needs before the end."""

    facts: DataFacts
    train: Split
    validation: Split
    load_test: Callable[[], Split]


def listing(names: Sequence[str], most: int = 5) -> str:
    """The first few names, for a note, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
