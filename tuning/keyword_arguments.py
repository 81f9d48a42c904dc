"""The arguments of `tuning.search`, which no parser has checked."""

import dataclasses
import typing
from collections.abc import Callable, Sequence
from typing import Any

from keras_cnn.data.dataset import ImageData
from keras_cnn.data.sources import load
from keras_cnn.errors import InputError, unknown_name
from keras_cnn.function_import import import_function, is_function_name
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.keyword_settings import LOADING, described, fits
from tuning.search_settings import SearchSettings
from tuning.space.searched import SEARCHED

OF_ARRAYS = ("class_names", "value_range")  # arguments of `load` that are no settings


def named_architectures(given: Any) -> tuple[Callable | None, tuple[str, ...], bool]:
    """(function build(hp) or None, names of the architectures, whether they are a build(hp)) of what was given."""
    from keras_cnn.models.own import own_name
    from tuning.executors.own_trial import check_takes_hp, takes_hp

    if isinstance(given, str):
        own = is_function_name(given) and takes_hp(import_function(given))
        return None, (given,), own
    if isinstance(given, Sequence) and given and all(isinstance(name, str) for name in given):
        return None, tuple(dict.fromkeys(given)), False
    build = build_function(given)
    if build is None:
        raise InputError(
            f"a {type(given).__name__} cannot be searched: give a function build(hp) that returns a model, the name of "
            "an architecture, several names, or MODULE:FUNCTION."
        )
    name = own_name(given)
    check_takes_hp(build, name)
    return build, (name,), True


def build_function(given: Any) -> Callable | None:
    """The build(hp) that `given` is or has: a function, or a KerasTuner HyperModel; None for anything else.

    Raises:
        InputError: for a HyperModel that trains in a way of its own.
    """
    import keras_tuner as kt

    if not isinstance(given, kt.HyperModel):
        return given if callable(given) else None
    if type(given).fit is not kt.HyperModel.fit:
        raise InputError(
            f"{type(given).__name__} has a fit of its own, and tuning.search trains models itself: search it with "
            "tuning.RandomSearch or another of KerasTuner's tuners."
        )
    return given.build


def limits_of(settings: dict, **named: Any) -> SearchSettings:
    """The SearchSettings in `named` and in `settings`, out of which they are taken.

    Raises:
        InputError: for a value of a wrong type, and for names that neither the search nor a training knows.
    """
    hints = typing.get_type_hints(SearchSettings)
    values = {**named, **{name: settings.pop(name) for name in hints if name in settings}}
    for name, value in values.items():
        if not fits(value, hints[name]):
            raise InputError(
                f"{name}={value!r} is a {type(value).__name__}; allowed: {described(hints[name])}."
            )
    known = {*hints, *OF_ARRAYS, *(field.name for field in dataclasses.fields(TrainSettings))}
    for name in settings:
        if name not in known:
            raise unknown_name("argument", name, known - {"architecture", "data"})
    return SearchSettings(**values)


def loaded_data(data: Any, settings: dict) -> ImageData | None:
    """`data` as `keras_cnn.load` returns it, with the arguments for that taken out of `settings`; None for a name."""
    if isinstance(data, str | ImageData):
        return data if isinstance(data, ImageData) else None
    defaults = TrainSettings()
    arguments = {name: settings.pop(name, getattr(defaults, name)) for name in LOADING}
    arguments |= {name: settings.pop(name) for name in OF_ARRAYS if name in settings}
    return load(data, **arguments)


def fixed_of(settings: dict, base: TrainSettings) -> dict:
    """Dotted name -> value of what the user gave among what could be searched."""
    fixed = {name: getattr(base, name) for name in SEARCHED if settings.get(name) is not None}
    return fixed | {f"options.{name}": value for name, value in base.options.items()}
