"""Points to try before the sampler's own: the best ones of earlier studies, or what a user believes in."""

from collections.abc import Sequence
from pathlib import Path

import keras_tuner as kt

from keras_cnn.errors import InputError
from keras_cnn.records import read_json


def read_configurations(paths: Sequence[Path], space: kt.HyperParameters) -> tuple[dict, ...]:
    """A point of each JSON file: name -> value, or such under `hyperparameters`, as in a study's best.json.

    Raises InputError where a file is none, or a point is not in `space`: a name is missing or unknown, a value outside.
    """
    configurations = []
    for path in paths:
        content = read_json(path)
        configuration = content.get("hyperparameters", content)
        configurations.append(_checked(path, configuration, space))
    return tuple(configurations)


def _checked(path: Path, configuration: dict, space: kt.HyperParameters) -> dict:
    active = kt.HyperParameters()
    for parameter in space.space:
        active.merge([parameter])
        if not active.is_active(parameter):  # of another optimizer or architecture than the chosen one
            continue
        if parameter.name not in configuration:
            raise InputError(f"{path} lacks {parameter.name}, which this study searches.")
        value = configuration[parameter.name]
        if not _allows(parameter, value):
            raise InputError(
                f"{path}: {parameter.name}={value!r} is not in the space. Allowed: {_domain(parameter)}."
            )
        active.values[parameter.name] = value
    unknown = sorted(set(configuration) - set(active.values))
    if unknown:
        raise InputError(f"{path} sets {', '.join(unknown)}, which this study does not search at this point.")
    return dict(active.values)


def _allows(parameter, value: object) -> bool:
    if not hasattr(parameter, "min_value"):
        return value in parameter.values
    whole = isinstance(parameter, kt.engine.hyperparameters.Int)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return False
    on_a_step = not whole or (value - parameter.min_value) % (parameter.step or 1) == 0
    return on_a_step and parameter.min_value <= value <= parameter.max_value


def _domain(parameter) -> str:
    if hasattr(parameter, "min_value"):
        kind = "a whole number from " if isinstance(parameter, kt.engine.hyperparameters.Int) else ""
        return f"{kind}{parameter.min_value:g} to {parameter.max_value:g}"
    return ", ".join(map(str, parameter.values))
