"""Labels that are rows of numbers: 0 and 1 for several labels an image, or values for regression."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cnn.data.array_labels import checked_names
from keras_cnn.errors import InputError, in_one_line
from keras_cnn.task import MULTI_LABEL, REGRESSION

TOLERANCE = 1e-3  # of the sum of a row of probabilities, which float16 rounds


def rows_task(labels: dict[str, Any]) -> tuple[str, str]:
    """The task of labels that are rows of numbers, found in their values.

    Args:
        labels: split -> its labels, of any form.

    Returns:
        (the task, a note that says why); two empty strings for classes, one-hot rows and masks.

    Raises:
        InputError: for rows of probabilities, which could be meant as classes or as values.
    """
    found = [values for values in map(_numbers, labels.values()) if values is not None]
    if len(found) != len(labels) or len({values.shape[1:] for values in found}) > 1:
        return "", ""
    values = np.concatenate(found)
    if values.ndim == 2 and ((values == 0) | (values == 1)).all():
        odd = int((values.sum(axis=1) != 1).sum())
        note = f"{odd} of {len(values)} rows of the labels have not exactly one 1: they are taken for multi_label"
        return (MULTI_LABEL.name, note) if odd else ("", "")
    finite = values[np.isfinite(values)]
    broken = finite[finite != np.rint(finite)]
    if not broken.size:
        return "", ""
    if values.ndim == 2 and (values >= 0).all() and np.allclose(values.sum(axis=1), 1, atol=TOLERANCE):
        raise InputError(
            f"the rows of the labels sum to 1, as probabilities of {values.shape[1]} classes do: give the numbers of "
            f"the classes, y.argmax(axis=1), or task={REGRESSION.name!r} to predict the values."
        )
    return REGRESSION.name, f"the labels hold {broken[0]:g}: they are taken for {REGRESSION.name}"


def _numbers(labels: Any) -> np.ndarray | None:
    """Labels (N,) or (N, K) as an array; None if they are no numbers or of another form."""
    try:
        found = np.asarray(labels)
    except (ValueError, TypeError):
        return None
    found = found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found
    return found if found.dtype.kind in "biuf" and found.ndim in (1, 2) else None


def encode_rows(
    labels: dict[str, Any], task: str, class_names: Sequence[str] | None = None
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The rows of all splits.

    Args:
        labels: split -> (N, K), or (N,) for a single value.
        task: multi_label or regression.
        class_names: of the columns; None for their numbers.

    Returns:
        (split -> float32 (N, K), names of the columns).

    Raises:
        InputError: for labels of another form, values that are not finite, or no number that float32 holds.
    """
    rows = {role: _rows(y, role, task) for role, y in labels.items()}
    columns = rows["train"].shape[1]
    for role, values in rows.items():
        if values.shape[1] != columns:
            raise InputError(
                f"the {role} labels have {values.shape[1]} columns, those of train {columns}: give as many."
            )
    names = _default_names(columns, task) if class_names is None else checked_names(class_names)
    if len(names) != columns:
        raise InputError(f"class_names has {len(names)} names, the labels {columns} columns.")
    return rows, names


def _default_names(columns: int, task: str) -> tuple[str, ...]:
    if task == REGRESSION.name:
        return ("value",) if columns == 1 else tuple(f"value{column}" for column in range(columns))
    return tuple(map(str, range(columns)))


def _rows(labels: Any, role: str, task: str) -> np.ndarray:
    try:
        found = np.asarray(labels)
        with np.errstate(over="ignore"):  # refused below
            rows = found.astype(np.float32) if found.dtype.kind in "biufO" else None
    except (ValueError, TypeError) as error:
        raise InputError(f"the {role} labels make no array of numbers ({in_one_line(error)}).") from None
    if rows is None or rows.ndim not in (1, 2):
        raise InputError(
            f"the {role} labels are of type {found.dtype} and shape {found.shape}: {task} takes numbers (N, K)"
            f"{' or (N,)' if task == REGRESSION.name else ''}."
        )
    rows = rows[:, None] if rows.ndim == 1 else rows
    if not np.isfinite(rows).all():
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        raise InputError(
            f"{len(bad)} of {len(rows)} {role} labels are NaN, infinite or too large for float32, the first is number "
            f"{bad[0]}: leave them out or correct them."
        )
    if task == MULTI_LABEL.name:
        _check_binary(rows, role)
    return rows


def _check_binary(rows: np.ndarray, role: str) -> None:
    if rows.shape[1] < 2:
        raise InputError(
            f"the {role} labels have one column: {MULTI_LABEL.name} takes a column of 0 and 1 for each of two labels "
            "or more."
        )
    wrong = rows[(rows != 0) & (rows != 1)]
    if wrong.size:
        raise InputError(f"the {role} labels hold {wrong[0]:g}: {MULTI_LABEL.name} takes rows of 0 and 1.")
