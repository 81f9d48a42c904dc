"""Splits of images with labels, and the facts of a data set as plain values that JSON can hold."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from keras_cnn.data.value_range import PIXELS
from keras_cnn.errors import InputError
from keras_cnn.task import REGRESSION, TASKS


@dataclass(frozen=True)
class Split:
    """Decoded images with their labels.

    Args:
        images: (N, H, W, C), uint8 in 0..255, or float32 in `DataFacts.value_range`.
        labels: indices into `DataFacts.classes`: int64 (N,), or one for every pixel, uint8 (N, H, W); or rows of 0 and
            1, or of values, float32 (N, K).
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class RawSplits:
    """The splits that a source provides; `splits.assemble` holds out those that are missing.

    Args:
        classes: their names, in the order of the labels.
        train: training images.
        validation: validation images, or None.
        load_test: reads the test split, or None.
        test_counts: test images per class, or None where counting would mean reading the split.
        flip_invariant: as in `DataFacts`, like `task`, `notes` and `license`.
        left_out: what is wrong with each file that could not be read, one sentence a file.
        value_range, checksum: as in `DataFacts`.
    """

    classes: tuple[str, ...]
    train: Split
    validation: Split | None = None
    load_test: Callable[[], Split] | None = None
    test_counts: list[int] | None = None
    flip_invariant: bool = True
    task: str = "classification"
    notes: tuple[str, ...] = ()
    license: str = ""
    left_out: tuple[str, ...] = ()
    value_range: tuple[float, float] = PIXELS
    checksum: str = ""


@dataclass(frozen=True)
class DataFacts:
    """Facts of a data set as it was split.

    Args:
        name: as given to `load`, for example `cifar10` or `folder:/photos`.
        shape: (H, W, C) of every image.
        classes: names of the classes, in the order of the labels; in regression, of the values.
        counts: split name -> images per class (pixels per class in segmentation), in the order of `classes`; `test` is
            missing where counting would mean reading it.
        mean: per channel, of the *training* images alone, in the units of the pixels.
        variance: per channel, of the training images alone, in squared pixel units.
        flip_invariant: whether an image flipped left to right keeps its class (not so for digits).
        task: `classification`, a class for every image; `segmentation`, a class for every pixel; `multi_label`, any
            number of labels for every image; `regression`, values for every image.
        notes: what a user should know about the data (files left out, images in two splits).
        license: of the data; empty if unknown.
        value_range: the smallest and the largest value that a pixel may have; (0, 255) of images in files.
        dtype: of the images, `uint8` or `float32`.
        checksum: SHA-256 of images and labels that were given as arrays; empty for other sources.
        sizes: split name -> number of images, where it does not follow from `counts`: in multi_label and regression.
        fold: as `folds.fold_of` takes it, of data cut for cross-validation, or (0, 1) if no image validates; None for
            the splits of `load`.
    """

    name: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    counts: dict[str, list[int]]
    mean: tuple[float, ...]
    variance: tuple[float, ...]
    flip_invariant: bool = True
    task: str = "classification"
    notes: tuple[str, ...] = ()
    license: str = ""
    value_range: tuple[float, float] = PIXELS
    dtype: str = "uint8"
    checksum: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    fold: tuple[int, int] | None = None

    def images(self, split: str) -> int:
        """Number of images in `split`."""
        if split in self.sizes:
            return self.sizes[split]
        height, width, _ = self.shape
        return sum(self.counts[split]) // (height * width if TASKS[self.task].unit == "pixels" else 1)

    def check_same(self, found: "DataFacts", trained: object) -> None:
        """Raise InputError unless `found`, the data as they are now, have the images and classes that these have.

        Splits are held out by position: with other images, some that were trained on would be in the test split.

        Args:
            found: facts of the data that were loaded again.
            trained: what was trained on these, for the message.
        """
        differing = [
            name
            for name in ("task", "shape", "classes", "value_range", "dtype")
            if getattr(self, name) != getattr(found, name)
        ]
        differing = differing or [
            f"images of {split}"
            for split in self.counts
            if split in found.counts and list(self.counts[split]) != list(found.counts[split])
        ]
        if not differing and not np.allclose(self.mean, found.mean, rtol=1e-6):
            differing = ["pixels"]
        if not differing and self.checksum != found.checksum:
            differing = ["images, labels or order (checksum)"]
        if differing:
            raise InputError(
                f"{self.name} is not what {trained} was trained on: other {', '.join(differing)}. Restore the data, "
                "or train anew."
            )

    def to_dict(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "DataFacts":
        """The facts in `values`, as `to_dict` gives them; format version 1 has `mirror` for `flip_invariant`."""
        values = {"flip_invariant" if key == "mirror" else key: value for key, value in values.items()}
        names = ("shape", "classes", "mean", "variance", "notes", "value_range", "fold")
        tuples = {key: tuple(values[key]) for key in names if values.get(key) is not None}
        return cls(**{**values, **tuples})


@dataclass(frozen=True)
class ImageData:
    """A data set ready to train on.

    Args:
        facts: its facts.
        train: images to train on.
        validation: images to validate on.
        load_test: reads the test split, which is needed once, at the end.
        left_out: what is wrong with each file that could not be read, of which `facts.notes` names the first.
        load_arguments: of `sources.load`, but the data: `image_size`, `validation_split`, `split_seed` and `task`.
    """

    facts: DataFacts
    train: Split
    validation: Split
    load_test: Callable[[], Split]
    left_out: tuple[str, ...] = ()
    load_arguments: dict = field(default_factory=dict)


def count_labels(labels: np.ndarray, classes: int, task: str) -> list[int]:
    """Images, or pixels, of each class; in regression, how often each value is given: once an image."""
    if TASKS[task].class_ids:
        return np.bincount(labels.ravel(), minlength=classes).tolist()
    return [len(labels)] * classes if task == REGRESSION.name else labels.sum(axis=0, dtype=np.int64).tolist()


LISTED = 5  # names in a note


def listing(names: Sequence[str], most: int = LISTED) -> str:
    """The first `most` names, and the number of the others, for a note."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
