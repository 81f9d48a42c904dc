"""Load the model and the data of a diagnosis from a run, a .keras file, a function, or settings."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.data.dataset import ImageData, Split
from keras_cnn.data.sources import load
from keras_cnn.data.windows import cut
from keras_cnn.errors import InputError
from keras_cnn.function_import import import_function, is_function_name
from keras_cnn.models.keras_file import load_keras_file
from keras_cnn.task import TASKS
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.evaluate import window_of
from keras_cnn.training.make_model import best_model, make_model, own_loss
from keras_cnn.training.own_model import takes_one_hot
from keras_cnn.training.run_directory import INITIAL, Run, chosen_run, read_run
from keras_cnn.training.tasks import check_has_classes

MAX_IMAGES = 4096


def load_model_and_data(
    source: str | None, settings: TrainSettings, download: bool = False
) -> tuple[keras.Model, Any]:
    """Load the model that `source` names, and data for its diagnosis.

    Args:
        source: a .keras file, `MODULE:FUNCTION` that returns a model or a model and its data (x, y), the directory of
            a run, or None for the model that `settings` describe.
        settings: the data set, and the model where `source` is None.
        download: whether a TFDS set may be fetched from the network.

    Returns:
        (model, data): data as `diagnose` takes them; images of `settings` are float32 in 0..255.

    Raises:
        InputError: if `source` names nothing that can be loaded, or the data cannot be read.
    """
    if source is None:
        return _from_settings(settings, download)
    if Path(source).is_dir():
        run = read_run(chosen_run(Path(source)))
        return trained_model_and_sample(
            run, run.checked(load(**run.settings.load_arguments(), download=download))
        )
    model, data = (
        (load_keras_file(Path(source)), None) if source.endswith(".keras") else _from_function(source)
    )
    if data is None:
        data = _sample(model, settings, load(**settings.load_arguments(), download=download))
    return model, data


def trained_model_and_sample(run: Run, data: ImageData) -> tuple[keras.Model, Any]:
    """The model of `run`, compiled as it was trained, with its best weights; and images of `data`, its data."""
    check_has_classes(run.facts, "a diagnosis")
    model, *_ = make_model(run.settings, data, tf.distribute.get_strategy(), run.directory / INITIAL)
    model.set_weights(best_model(run.settings, run.facts, run.directory).get_weights())
    images, labels = _sample(model, run.settings, data)
    if own_loss(model, run.settings) and takes_one_hot(model, TASKS[run.facts.task]):
        labels = np.eye(len(run.facts.classes), dtype=np.float32)[labels]
    return model, (images, labels)


def _from_settings(settings: TrainSettings, download: bool) -> tuple[keras.Model, Any]:
    settings.check_names()
    data = load(**settings.load_arguments(), download=download)
    settings = settings.resolved(data.facts)
    model, *_ = make_model(settings, data, tf.distribute.get_strategy())
    return model, _sample(model, settings, data)


def _sample(model: keras.Model, settings: TrainSettings, data: ImageData) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) of random training images; with masks, of random windows of the size that the model takes."""
    check_has_classes(data.facts, "a diagnosis")
    train, images = data.train, MAX_IMAGES
    window = window_of(model) if train.labels.ndim == 3 else None
    if window is not None and None in window.size:  # the model takes images of any size
        window = None
    if window is not None:
        window.check(data.facts.shape)
        images = max(1, MAX_IMAGES // window.count(1, data.facts.shape))
    chosen = np.random.default_rng(settings.seed).permutation(len(train))[:images]
    split = Split(train.images[chosen], train.labels[chosen])
    split = cut(split, window) if window is not None else split
    return split.images.astype("float32"), split.labels


def _from_function(source: str) -> tuple[keras.Model, Any]:
    """(model, its data or None) that `module:function` returns."""
    if not is_function_name(source):
        raise InputError(
            f"{source!r} is neither a .keras file, nor the directory of a run, nor MODULE:FUNCTION."
        )
    result = import_function(source)()
    model, data = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
    if not isinstance(model, keras.Model):
        raise InputError(
            f"{source} returned a {type(model).__name__}; return a keras.Model, or (model, data)."
        )
    return model, data
