"""Run one trial from its trial.json; leave a run directory with metrics.json. Nothing here knows of a search."""

import dataclasses
import functools
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from keras_cnn.data.facts import ImageData
from keras_cnn.data.sources import load
from keras_cnn.errors import is_disk_full
from keras_cnn.files import write_json
from keras_cnn.runs import METRICS, Run
from keras_cnn.training.callbacks import CHECKPOINT
from keras_cnn.training.settings import TrainSettings
from keras_cnn.training.train import Diverged, make_model, train
from tuning.settings import COMPLETED, DIVERGED, FAILED, OUT_OF_MEMORY, read_trial


@functools.lru_cache(maxsize=1)
def _load(*arguments: tuple) -> ImageData:
    """Trials of one search share their data."""
    return load(**dict(arguments))


def check_settings(settings: TrainSettings, strategy: tf.distribute.Strategy) -> None:
    """Raise InputError if a trial of these settings could not start on this data and these devices."""
    make_model(settings, _load(*settings.load_arguments().items()), strategy)


def run_trial(directory: Path, strategy: tf.distribute.Strategy, report: Callable[[int, dict], None]) -> dict:
    """Train the trial in `directory`, from its own checkpoint if it has one; writes metrics.json and returns it.

    `state` is COMPLETED with `score`, `best_epoch`, `history`, ...; DIVERGED if the loss was not finite; OUT_OF_MEMORY;
    any other exception is FAILED, with its `message`; but a full disk raises OSError. `report(epoch, logs)` is called
    after each epoch.
    """
    started = time.perf_counter()
    try:
        metrics = {"state": COMPLETED, **_train(directory, strategy, report)}
    except Diverged as error:
        metrics = {"state": DIVERGED, "message": str(error)}
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        metrics = {"state": OUT_OF_MEMORY, "message": (str(error) or "memory ran out").splitlines()[0][:300]}
        traceback.print_exc()
    except Exception as error:
        if is_disk_full(error):
            raise  # no fault of the trial's
        metrics = {"state": FAILED, "message": f"{type(error).__name__}: {error}"}
        traceback.print_exc()  # into the trial's log
    metrics["seconds"] = time.perf_counter() - started
    write_json(directory / METRICS, metrics)
    return metrics


def _train(directory: Path, strategy: tf.distribute.Strategy, report) -> dict:
    spec = read_trial(directory)
    data = _load(*spec.settings.load_arguments().items())
    run = Run(directory, spec.settings, data.facts, spec.logs, strategy.num_replicas_in_sync)
    run.write()
    parent = directory / spec.start_from if spec.start_from else None
    result = train(
        spec.settings,
        data,
        directory,
        strategy=strategy,
        stop_epoch=spec.stop_epoch,
        start_from=directory if (directory / CHECKPOINT).exists() else parent,
        logs=run.log_directory,
        report=report,
    )
    return dataclasses.asdict(result)
