"""A user's build(hp) in a worker: the hyperparameters that it declares, and the model of a trial."""

import functools
import inspect
import shutil
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import keras_tuner as kt
import tensorflow as tf
from keras_tuner.src.engine.base_tuner import BaseTuner

from keras_cnn.data.dataset import ImageData
from keras_cnn.errors import InputError, in_one_line, unknown_name
from keras_cnn.files import write_file
from keras_cnn.function_import import import_function, is_function_name
from keras_cnn.task import FALLBACK, TASKS
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.make_model import own_loss, seeded_model
from keras_cnn.training.own_model import own_model_file, takes_one_hot, try_out, with_own
from keras_cnn.training.run_directory import INITIAL
from tuning.executors.inputs import current
from tuning.trial import TrialSpec


def space_of_build(settings: TrainSettings, data: ImageData, strategy: tf.distribute.Strategy) -> dict:
    """What a study needs to know of a user's build(hp), which is tried out with its defaults.

    Args:
        settings: of the study, not resolved; `architecture` names the function.
        data: to try the model on.
        strategy: to build it under.

    Returns:
        `space`, the config of the hyperparameters it declares, `objective`, the metric that ranks its trials, and
        `metrics`, all that could.

    Raises:
        InputError: if it fails, or its model cannot be trained on these data; the message is one line.
    """
    build = _function(settings.architecture)
    try:
        space = _explored(build)
        keras.utils.set_random_seed(settings.seed)
        model = build(space.copy())
    except InputError:
        raise
    except Exception as error:  # whatever the user's code does
        traceback.print_exc()
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise InputError(
            f"{settings.architecture} fails with its default hyperparameters: {type(error).__name__}: "
            f"{in_one_line(error).rstrip('.')} (line {place.lineno} of {place.filename})."
        ) from error
    resolved = settings.resolved(data.facts, strategy.num_replicas_in_sync)
    with own_model_file(model, settings, data.facts) as path:
        trained, *_ = seeded_model(resolved, data, strategy, path)
    with_own(resolved, trained, own_loss(trained, resolved), TASKS[data.facts.task])
    objective, metrics = _objective(trained, resolved, data)
    return {"space": space.get_config(), "objective": objective, "metrics": metrics}


def model_of_trial(spec: TrialSpec, directory: Path, data: ImageData) -> dict:
    """Build the model of a trial and write it to `directory`, as a run of a user's model has it.

    Returns:
        `hyperparameters`, with those that appeared while building, and `new_entries`, the config of these.
    """
    hp = kt.HyperParameters()
    hp.values = dict(spec.hyperparameters)
    keras.utils.set_random_seed(spec.settings.seed)
    model = _function(spec.settings.architecture)(hp)
    given = replace(
        spec.settings, precision="auto", label_smoothing=None, loss=None
    )  # as before they were resolved
    with own_model_file(model, given, data.facts) as path:
        write_file(directory / INITIAL, functools.partial(shutil.copyfile, path))
    appeared = kt.HyperParameters()
    appeared.merge([parameter for parameter in hp.space if parameter.name not in spec.hyperparameters])
    return {"hyperparameters": dict(hp.values), "new_entries": appeared.get_config()}


def _function(name: str) -> Callable:
    """The build(hp) that a study calls `name`."""
    function = import_function(name) if is_function_name(name) else current().build
    if function is None:
        raise InputError(
            f"{name} was given in Python, and is not stored: continue there, "
            "tuning.Study(directory, build, data).resume()."
        )
    check_takes_hp(function, name)
    return function


def check_takes_hp(function: Callable, name: str) -> None:
    """Raise InputError unless `function` can be called with one argument."""
    if not takes_hp(function):
        raise InputError(
            f"{name} takes {inspect.signature(function)}: the function of a search takes the hyperparameters alone, "
            "build(hp). One of (input_shape, classes, **options) is searched with --architecture MODULE:FUNCTION."
        )


def takes_hp(function: Callable) -> bool:
    """Whether `function` can be called with one argument, as build(hp)."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # a builtin, which has no signature to look at
        return True
    return True


def _explored(build: Callable) -> kt.HyperParameters:
    """The hyperparameters that `build` declares, also under conditions that do not hold by default."""
    tuner = object.__new__(BaseTuner)
    tuner.oracle = kt.Oracle(objective="loss", max_trials=1)
    tuner.hypermodel = SimpleNamespace(build=build)
    tuner._activate_all_conditions()
    defaults = kt.HyperParameters()
    defaults.merge(tuner.oracle.get_space())
    return defaults


def _objective(model: keras.Model, settings: TrainSettings, data: ImageData) -> tuple[str, list[str]]:
    """(the metric that ranks trials, all validation metrics)."""
    task = TASKS[data.facts.task]
    names = list(task.default_objectives)
    if own_loss(model, settings):
        names = try_out(model, data, takes_one_hot(model, task), settings.objective)
    if settings.objective is not None and settings.objective not in names:
        raise unknown_name("objective", settings.objective, names)
    return settings.objective or next((name for name in task.objectives if name in names), FALLBACK), names
