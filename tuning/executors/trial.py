"""Run one trial from its trial.json; leave a run directory with metrics.json. Nothing here knows of a search."""

import dataclasses
import functools
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from keras_cnn.data.dataset import ImageData
from keras_cnn.data.folds import fold_of
from keras_cnn.data.sources import load
from keras_cnn.errors import DamagedFileError, InputError, is_disk_full
from keras_cnn.files import sweep
from keras_cnn.records import write_record
from keras_cnn.task import TASKS
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.make_model import make_model, own_loss, seeded_model
from keras_cnn.training.own_model import with_own
from keras_cnn.training.recovery import train_without_damage
from keras_cnn.training.run_directory import CHECKPOINT, INITIAL, METRICS, Run, read_metrics
from keras_cnn.training.train import Diverged, train_epochs
from tuning.config import COMPLETED, DIVERGED, FAILED, OUT_OF_MEMORY, TOO_LARGE
from tuning.executors.inputs import current
from tuning.executors.latency import check_latency
from tuning.executors.model_limits import TooLarge, check_size, costs
from tuning.executors.own_trial import model_of_trial
from tuning.executors.repeats import aggregate_repeats, repeat_name, repeat_spec
from tuning.objectives import value_of
from tuning.trial import TrialSpec, read_trial

Report = Callable[[int, dict], bool | None]
# what may go well at the next attempt: a network file system, a device that was lost
TRANSIENT = (
    ConnectionError,
    TimeoutError,
    tf.errors.AbortedError,
    tf.errors.DeadlineExceededError,
    tf.errors.UnavailableError,
)
TRACEBACK = 2000  # characters of it that are kept with the trial


@functools.lru_cache(maxsize=1)
def _load(*arguments: tuple) -> ImageData:
    """Trials of one search share their data."""
    return load(**dict(arguments))


def load_data(settings: TrainSettings) -> ImageData:
    """The data of `settings`; those that a search in Python has in memory come with it."""
    return current().data or _load(*settings.load_arguments().items())


def load_facts(settings: TrainSettings, download: bool) -> dict:
    """The facts of the data of `settings`, as plain data; the data stay for the trials to come."""
    if download:
        load(**settings.load_arguments(), download=True)
    return load_data(settings).facts.to_dict()


def check_settings(settings: TrainSettings, strategy: tf.distribute.Strategy) -> None:
    """Raise InputError if a trial of these settings could not start on this data and these devices."""
    data = load_data(settings)
    model, *_ = make_model(settings, data, strategy)
    if own_loss(model, settings):
        raise InputError(
            f"{settings.architecture} returns a compiled model, whose loss and optimizer a search would replace: "
            "return it uncompiled, or search a build(hp) of your own: keras-cnn search MODULE:FUNCTION."
        )


def run_trial(directory: Path, strategy: tf.distribute.Strategy, report: Report) -> dict:
    """Train the trial in `directory`, from its own checkpoint if it has one; writes metrics.json and returns it.

    `state` is COMPLETED with `score`, `best_epoch`, `history`, ...; DIVERGED if the loss was not finite; OUT_OF_MEMORY;
    any other exception is FAILED, with its `message` and `traceback`; but a full disk and what may go well at the next
    attempt are raised. `report(epoch, logs)` is called after each epoch, which is the last one if it returns True.
    With `repeats` or `folds`, each is a run in a sub-folder, and the score is their mean.
    """
    sweep(directory)
    spec = read_trial(directory)
    runs = spec.folds or spec.repeats
    if runs == 1:
        return _run(directory, spec, strategy, report)
    results, names = [], [repeat_name(spec, number) for number in range(1, runs + 1)]
    for number, name in enumerate(names, start=1):
        folder = directory / name
        if not (folder / METRICS).exists():
            one = repeat_spec(spec, number)
            one.write(folder)
            _run(folder, one, strategy, report)
        results.append(read_metrics(folder))
        if results[-1]["state"] != COMPLETED:
            break
    metrics = aggregate_repeats(results, names)
    write_record(directory / METRICS, metrics)
    return metrics


def _run(directory: Path, spec: TrialSpec, strategy: tf.distribute.Strategy, report: Report) -> dict:
    started = time.perf_counter()
    try:
        metrics = {"state": COMPLETED, **_train(directory, spec, strategy, report)}
    except Exception as error:
        # TensorFlow has one error for a full disk and for memory
        if isinstance(error, (*TRANSIENT, DamagedFileError)) or is_disk_full(error):
            raise  # no fault of the trial's
        metrics = _failure(error)
    metrics |= {"seconds": time.perf_counter() - started, "ended": time.time()}
    write_record(directory / METRICS, metrics)
    return metrics


def _failure(error: Exception) -> dict:
    """State and message of a trial that ended with `error`, which is being handled."""
    if isinstance(error, Diverged):
        return {"state": DIVERGED, "message": str(error)}
    if isinstance(error, TooLarge):
        return {"state": TOO_LARGE, "message": str(error), **error.measured}
    traceback.print_exc()  # into the trial's log
    if isinstance(error, (tf.errors.ResourceExhaustedError, MemoryError)):
        return {"state": OUT_OF_MEMORY, "message": (str(error) or "memory ran out").splitlines()[0][:300]}
    cause = traceback.format_exc()[-TRACEBACK:]
    return {"state": FAILED, "message": f"{type(error).__name__}: {error}", "traceback": cause}


def _train(directory: Path, spec: TrialSpec, strategy: tf.distribute.Strategy, report: Report) -> dict:
    data, appeared, settings = fold_of(load_data(spec.settings), spec.fold), {}, spec.settings
    run = Run(directory, settings, data.facts, spec.logs, strategy.num_replicas_in_sync)
    run.write()
    if spec.takes_hyperparameters:
        appeared = model_of_trial(spec, directory, data)
    measured = check_latency(directory, spec, data.facts)
    built = _built(directory, spec, data, strategy)
    if spec.takes_hyperparameters:
        settings = with_own(settings, built[0], own_loss(built[0], settings), TASKS[data.facts.task])
        dataclasses.replace(run, settings=settings).write()
    measured |= costs(built[0], spec)
    first = [built]  # a second attempt begins with another
    parent = directory / spec.start_from if spec.start_from else None
    result = train_without_damage(
        directory,
        lambda: train_epochs(
            settings,
            data,
            directory,
            strategy=strategy,
            built=first.pop() if first else _built(directory, spec, data, strategy),
            stop_epoch=spec.stop_epoch,
            start_from=directory if (directory / CHECKPOINT).exists() else parent,
            logs=run.log_directory,
            report=report,
        ),
    )
    metrics = {**dataclasses.asdict(result), **measured, **appeared}
    if spec.objectives:
        metrics["objectives"] = {name: value_of(name, metrics) for name in spec.objectives}
    return metrics


def _built(
    directory: Path, spec: TrialSpec, data: ImageData, strategy: tf.distribute.Strategy
) -> tuple[keras.Model, int, int]:
    """What `seeded_model` returns of the trial in `directory`; TooLarge if its model exceeds the limits."""
    built = seeded_model(spec.settings, data, strategy, directory / INITIAL)
    check_size(built[0], spec.max_parameters, spec.max_macs)
    return built
