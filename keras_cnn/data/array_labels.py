"""Labels of any usual form, as numbers of classes from 0: integers, strings, one-hot rows, masks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cnn.errors import InputError, in_one_line

MOST_MASK_CLASSES = 256  # masks are stored as uint8
FORMS = "one number, string or bool per image (N,), one-hot rows (N, K), or masks (N, H, W)"


def encode(
    labels: dict[str, tuple[Any, tuple[int, ...]]], class_names: Sequence[str] | None = None
) -> tuple[dict[str, np.ndarray], tuple[str, ...], str]:
    """Number the classes of all splits in the same way.

    Args:
        labels: split -> (its labels, (H, W) of its images).
        class_names: of the classes; None for the sorted labels of all splits as strings. Whole numbers from 0 to
            K - 1 are positions in them; other numbers must be K different ones, which are named in their order.

    Returns:
        (split -> int64 (N,) or, of masks, uint8 (N, H, W); names of the classes; the task).

    Raises:
        InputError: for labels of no known form, or outside of `class_names`.
    """
    known = {role: _simple(y, size, role) for role, (y, size) in labels.items()}
    kinds = {
        role: (values.ndim, values.dtype.kind.replace("u", "i"), columns)
        for role, (values, columns) in known.items()
    }
    for role, kind in kinds.items():
        if kind != kinds["train"]:
            raise InputError(
                f"the {role} labels have another form than those of train: {FORMS}, in all alike."
            )
    values = {role: found for role, (found, _) in known.items()}
    ndim, _, columns = kinds["train"]
    names = None if class_names is None else checked_names(class_names)
    if columns:
        values, classes = values, names or tuple(map(str, range(columns)))
        if len(classes) != columns:
            raise InputError(f"class_names has {len(classes)} names, the one-hot labels {columns} columns.")
    else:
        values, classes = _numbered(values, names)
    if ndim == 1:
        return {role: found.astype(np.int64) for role, found in values.items()}, classes, "classification"
    if len(classes) > MOST_MASK_CLASSES:
        raise InputError(f"the masks hold {len(classes)} classes; at most {MOST_MASK_CLASSES} are possible.")
    return {role: found.astype(np.uint8) for role, found in values.items()}, classes, "segmentation"


def _simple(labels: Any, size: tuple[int, ...], role: str) -> tuple[np.ndarray, int]:
    """(labels (N,) or masks (N, H, W) of integers or strings, number of one-hot columns or 0)."""
    try:
        found = np.asarray(labels)
    except (ValueError, TypeError) as error:
        raise InputError(f"the {role} labels make no array ({in_one_line(error)}): give {FORMS}.") from None
    if found.ndim in (2, 4) and found.shape[-1] == 1:
        found = found[..., 0]
    if found.ndim == 2:
        return _from_one_hot(found, role), found.shape[1]
    if found.ndim != 1 and (found.ndim != 3 or found.shape[1:] != tuple(size)):
        raise InputError(
            f"the {role} labels have shape {found.shape}, the images are {size[0]} x {size[1]}: give {FORMS}."
        )
    return _typed(found, role), 0


def _from_one_hot(rows: np.ndarray, role: str) -> np.ndarray:
    if rows.dtype.kind not in "biuf" or not (((rows == 0) | (rows == 1)).all() and (rows.sum(1) == 1).all()):
        raise InputError(
            f"the {role} labels of shape {rows.shape} are no one-hot rows, each of a single 1 and zeros: give {FORMS}; "
            "or task='multi_label' for rows of 0 and 1, task='regression' for values."
        )
    return rows.argmax(axis=1)


def _typed(labels: np.ndarray, role: str) -> np.ndarray:
    """Labels as bool, integers or strings."""
    if labels.dtype == object:
        kinds = {type(label) for label in labels.ravel()}
        if any(kind is not str and not np.issubdtype(kind, np.number) and kind is not bool for kind in kinds):
            raise InputError(f"the {role} labels hold {_names(kinds)}: give {FORMS}.")
        if len({kind is str for kind in kinds}) > 1:
            raise InputError(
                f"the {role} labels mix strings and numbers ({_names(kinds)}): give one of both."
            )
        labels = np.array(labels.tolist())
    if labels.dtype.kind in "ST":
        return labels.astype(str)
    if labels.dtype.kind == "f":
        wrong = labels[~np.isfinite(labels) | (labels != np.rint(labels))]
        if wrong.size:
            raise InputError(
                f"the {role} labels hold {wrong.ravel()[0]:g}: classes are whole numbers or strings; task='regression' "
                "takes any finite numbers."
            )
        return labels.astype(np.int64)
    if labels.dtype.kind not in "biuU":
        raise InputError(f"the {role} labels are of type {labels.dtype}: give {FORMS}.")
    return labels.astype(np.int64) if labels.dtype.kind in "iu" and labels.ndim == 1 else labels


def _numbered(
    values: dict[str, np.ndarray], names: tuple[str, ...] | None
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    present = np.unique(np.concatenate([np.unique(found) for found in values.values()]))
    if names is None:
        names = tuple(map(str, present.tolist()))
    elif present.dtype.kind == "U":
        return _by_name(values, present, names)
    elif present[0] >= 0 and present[-1] < len(names):
        return values, names
    elif len(present) != len(names):
        raise InputError(
            f"the labels are {len(present)} different numbers from {present[0]} to {present[-1]}, and class_names has "
            f"{len(names)} names: give a name for each number from 0 to {present[-1]}, or for each that occurs."
        )
    return {role: np.searchsorted(present, found) for role, found in values.items()}, names


def _by_name(
    values: dict[str, np.ndarray], present: np.ndarray, names: tuple[str, ...]
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    unknown = sorted(set(present.tolist()) - set(names))
    if unknown:
        raise InputError(f"label {unknown[0]!r} is not among class_names: {', '.join(names)}.")
    positions = np.array([names.index(label) for label in present.tolist()])
    return {role: positions[np.searchsorted(present, found)] for role, found in values.items()}, names


def checked_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """`class_names` as strings; InputError if two are equal, or there are none."""
    names = tuple(map(str, class_names))
    if len(set(names)) != len(names) or not names or isinstance(class_names, str):
        raise InputError(f"class_names={class_names!r} must be a list of different names.")
    return names


def _names(kinds: set[type]) -> str:
    return ", ".join(sorted(kind.__name__ for kind in kinds))
