"""Settings of a run from keyword arguments in Python, which no parser has checked."""

import dataclasses
import typing
from pathlib import Path
from types import UnionType
from typing import Any

import numpy as np

from keras_cnn.data.dataset import ImageData
from keras_cnn.errors import InputError, unknown_name
from keras_cnn.training.config import TrainSettings

LOADING = ("image_size", "validation_split", "split_seed", "task")  # settings of `sources.load`


def settings_from(base: TrainSettings | str, data: Any, values: dict[str, Any]) -> TrainSettings:
    """The settings of a run.

    Args:
        base: settings, or the name of an architecture with the defaults.
        data: what is trained on: the name of a data set, a loaded one, or anything else for those of `base`.
        values: fields of `TrainSettings` that differ from `base`; None for those of `base`.

    Raises:
        InputError: for names that are no settings and values of a wrong type or range.
    """
    base = TrainSettings(architecture=base) if isinstance(base, str) else base
    given = {name: _plain(value) for name, value in values.items() if value is not None}
    hints = typing.get_type_hints(TrainSettings)
    for name, value in given.items():
        if name not in hints or name in ("architecture", "data"):
            raise unknown_name("setting", name, set(hints) - {"architecture", "data"})
        if not fits(value, hints[name]):
            raise InputError(
                f"{name}={value!r} is a {type(value).__name__}; allowed: {described(hints[name])}."
            )
    if isinstance(data, ImageData):
        for name in set(LOADING) & set(given):
            raise InputError(f"{name} goes to keras_cnn.load: these data are loaded already.")
        given |= data.load_arguments
        given["data"] = data.facts.name
    elif isinstance(data, str):
        given["data"] = data
    return dataclasses.replace(base, **given)


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it, where NumPy or pathlib made it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value) if isinstance(value, Path) else value


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the type `hint`; a whole number is a float too."""
    if isinstance(hint, UnionType):
        return any(fits(value, part) for part in typing.get_args(hint))
    kind = typing.get_origin(hint) or hint
    if kind is tuple:
        sizes = typing.get_args(hint)
        return isinstance(value, tuple | list) and len(value) == len(sizes) and all(map(fits, value, sizes))
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


def described(hint: Any) -> str:
    """The type `hint` as a user reads it."""
    return str(hint).removeprefix("<class '").removesuffix("'>")
