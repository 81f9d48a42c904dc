"""Images and labels in memory: NumPy arrays, or batches that are read into such."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from keras_cnn.data.array_images import check_images, same_range, sized
from keras_cnn.data.array_labels import encode
from keras_cnn.data.array_rows import encode_rows, rows_task
from keras_cnn.data.batches import is_batches, read_batches
from keras_cnn.data.dataset import RawSplits, Split, count_labels
from keras_cnn.data.frames import is_frame, read_frames
from keras_cnn.errors import InputError
from keras_cnn.task import TASKS

ARRAYS = "arrays"  # the name of a data set that was given in memory
ROLES = ("train", "validation", "test")
ALLOWED = (
    "arrays (x, y), pairs ((x, y), (x, y)) of train and validation, (train, validation, test) with None for a missing "
    "one, a tf.data.Dataset, a keras.utils.PyDataset, a data frame of paths and labels, or the name of a data set"
)


def read(
    data: Any,
    image_size: tuple[int, int] | None = None,
    class_names: Sequence[str] | None = None,
    value_range: tuple[float, float] | None = None,
    task: str | None = None,
) -> RawSplits:
    """The splits in `data`, a data set in memory as `sources.load` takes it.

    Args:
        data: the images and labels.
        image_size: (height, width) to resize every image to; None keeps their own.
        class_names: as `sources.load` takes them.
        value_range: as `sources.load` takes it.
        task: as `sources.load` takes it.

    Returns:
        The splits; images are uint8, or float32 in the value range.

    Raises:
        InputError: if images or labels cannot be used; the message is one line.
    """
    parts = _parts(data)
    frames = read_frames({role: part for role, part in parts.items() if is_frame(part)}, image_size)
    pairs = {role: frames.get(role) or _pair(part, role) for role, part in parts.items()}
    images = {role: check_images(x, role) for role, (x, _) in pairs.items()}
    for role, (_, y) in pairs.items():
        _check_lengths(images[role], y, role)
    given = {role: (y, images[role].shape[1:3]) for role, (_, y) in pairs.items()}
    labels, classes, found_task, task_notes = _encoded(given, class_names, task)
    images, found_range, notes = same_range(images, value_range)
    kind = TASKS[found_task]
    if image_size and kind.unit == "pixels":
        raise InputError("image_size cannot resize masks given as arrays: resize images and masks before.")
    splits = {role: Split(sized(images[role], image_size), labels[role]) for role in pairs}
    test = splits.get("test")
    return RawSplits(
        classes,
        splits["train"],
        splits.get("validation"),
        None if test is None else lambda: test,
        None if test is None else count_labels(test.labels, len(classes), found_task),
        # names of one character: digits or letters
        flip_invariant=any(len(name) > 1 for name in classes)
        if kind.flip_invariant is None
        else kind.flip_invariant,
        task=found_task,
        notes=(*notes, *task_notes),
        value_range=found_range,
        checksum=_checksum(splits),
    )


def _encoded(
    labels: dict[str, tuple[Any, tuple[int, ...]]], class_names: Sequence[str] | None, task: str | None
) -> tuple[dict[str, np.ndarray], tuple[str, ...], str, tuple[str, ...]]:
    """(labels of each split, names of the classes, the task, notes); InputError for labels of another `task`."""
    alone = {role: y for role, (y, _) in labels.items()}
    found, note = rows_task(alone) if task is None else (task, "")
    if found and not TASKS[found].class_ids:
        return *encode_rows(alone, found, class_names), found, (note,) if note else ()
    values, classes, found = encode(labels, class_names)
    if task is not None and found != task:
        raise InputError(f"task={task!r} does not fit the labels, which are those of {found}.")
    return values, classes, found, ()


def _parts(data: Any) -> dict[str, Any]:
    """Role -> (x, y) or batches."""
    if is_batches(data) or is_frame(data):
        return {"train": data}
    if not isinstance(data, tuple | list):
        raise InputError(f"data of type {type(data).__name__} are not known. Give {ALLOWED}.")
    if len(data) in (2, 3) and all(map(_is_split, data)):
        if data[0] is None:
            raise InputError(f"the train split is None: only validation and test may be. Give {ALLOWED}.")
        return {role: part for role, part in zip(ROLES, data, strict=False) if part is not None}
    if len(data) != 2:
        raise InputError(f"data are a {type(data).__name__} of {len(data)}. Give {ALLOWED}.")
    return {"train": tuple(data)}


def _is_split(part: Any) -> bool:
    return part is None or is_batches(part) or is_frame(part) or _is_pair(part)


def _is_pair(part: Any) -> bool:
    """Whether `part` is (x, y); a list may be images."""
    return isinstance(part, tuple) and len(part) == 2


def _pair(part: Any, role: str) -> tuple[Any, Any]:
    return read_batches(part, role) if is_batches(part) else part


def _check_lengths(images: np.ndarray, labels: Any, role: str) -> None:
    count = len(labels) if hasattr(labels, "__len__") else None
    if count is None:
        raise InputError(
            f"the {role} labels are a {type(labels).__name__}: give an array, one label per image."
        )
    if count != len(images):
        raise InputError(f"{len(images)} {role} images and {count} labels: give one label per image.")


def _checksum(splits: dict[str, Split]) -> str:
    """SHA-256 of types, shapes and values of all splits."""
    digest = hashlib.sha256()
    for role, split in splits.items():
        for values in (split.images, split.labels):
            digest.update(f"{role} {values.dtype} {values.shape}".encode())
            for chunk in _chunks(values):
                digest.update(np.ascontiguousarray(chunk).data)
    return digest.hexdigest()


def _chunks(values: np.ndarray, count: int = 1024) -> Iterator[np.ndarray]:
    for start in range(0, len(values), count):
        yield values[start : start + count]
