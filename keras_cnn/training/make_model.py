"""The model of a run: made and compiled to be trained, or with its best weights to be used."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import keras

from keras_cnn.data.dataset import DataFacts, ImageData
from keras_cnn.data.pipeline import steps_per_epoch
from keras_cnn.errors import InputError, unknown_name
from keras_cnn.models.build import build_model
from keras_cnn.models.own import is_own, output_model, with_batch_statistics
from keras_cnn.models.pretrained import freeze_body
from keras_cnn.task import SEGMENTATION, TASKS, Task
from keras_cnn.training.checkpoint import load_weights
from keras_cnn.training.compile import LOSS_FUNCTIONS, compile_model
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.evaluate import window_of
from keras_cnn.training.own_model import load_own, takes_one_hot, try_out
from keras_cnn.training.run_directory import BEST_WEIGHTS, INITIAL


def seeded_model(
    settings: TrainSettings, data: ImageData, strategy, own: Path | None = None
) -> tuple[keras.Model, int, int]:
    """`make_model` with all random generators set to the seed of `settings`."""
    keras.utils.set_random_seed(settings.seed)
    return make_model(settings, data, strategy, own)


def make_model(
    settings: TrainSettings, data: ImageData, strategy, own: Path | None = None
) -> tuple[keras.Model, int, int]:
    """(compiled model, global batch size, steps per epoch) of `settings` under `strategy`.

    own: the file of a model of the user's own (`own_model_file`). One that is compiled keeps its loss, optimizer and
    metrics, and its outputs, which may be logits.
    """
    batch_size = settings.batch_size * strategy.num_replicas_in_sync
    task = TASKS[data.facts.task]
    with strategy.scope():
        model = _built(settings, data.facts, own)
        if settings.freeze == "body":
            freeze_body(model)
        window = window_of(model)
        if window:
            window.check(data.facts.shape)
        steps = steps_per_epoch(data.train, batch_size, window)
        if model.compiled:
            model.optimizer.build(model.trainable_variables)
        else:
            compile_model(model, settings, steps, task, data.facts.classes)
    if not own_loss(model, settings):
        _check_objective(settings.objective, task, data.facts.classes)
    elif strategy.num_replicas_in_sync == 1 and not window:
        try_out(model, data, takes_one_hot(model, task), settings.objective)
    return model, batch_size, steps


def _check_objective(objective: str | None, task: Task, classes: Sequence[str]) -> None:
    """Raise InputError unless a model that is compiled here has the metric `objective`."""
    of_classes = [
        f"val_{kind}_{name}" for kind in ("iou", "dice") for name in classes if task == SEGMENTATION
    ]
    if objective not in (None, *task.default_objectives, *of_classes):
        raise unknown_name("objective", objective, [*task.default_objectives, *of_classes])


def _built(settings: TrainSettings, facts: DataFacts, own: Path | None) -> keras.Model:
    if not is_own(settings.architecture):
        return build_model(settings.model_spec(facts))
    model = with_batch_statistics(load_own(settings, facts, own))
    return model if model.compiled else output_model(model, TASKS[facts.task])


def own_loss(model: keras.Model, settings: TrainSettings) -> bool:
    """Whether a compiled model has a loss of the user's own."""
    return is_own(settings.architecture) and model.loss not in LOSS_FUNCTIONS.values()


def best_model(settings: TrainSettings, facts: DataFacts, directory: Path) -> keras.Model:
    """The model of a run with its best weights, on one device: what is measured and shipped.

    Its outputs are probabilities, or values in regression; it is not compiled.
    """
    model = trained_model(settings, facts, directory)
    return output_model(model, TASKS[facts.task]) if is_own(settings.architecture) else model


def trained_model(settings: TrainSettings, facts: DataFacts, directory: Path) -> keras.Model:
    """As `best_model`, but a model of the user's own with its own outputs, and compiled if it was."""
    path = directory / BEST_WEIGHTS
    if not path.exists():
        raise InputError(
            f"{directory} holds no {BEST_WEIGHTS}: its run has not finished an epoch, or the file is lost. Continue "
            f"with keras-cnn train --resume {shlex.quote(str(directory))}, or keras-cnn resume of its study."
        )
    model = _on_one_device(settings, facts, directory)
    load_weights(path, model)
    return model


def untrained_model(settings: TrainSettings, facts: DataFacts, directory: Path) -> keras.Model:
    """The model that `best_model` will return of a run, as it is before the training."""
    model = _on_one_device(settings, facts, directory)
    return output_model(model, TASKS[facts.task]) if is_own(settings.architecture) else model


def _on_one_device(settings: TrainSettings, facts: DataFacts, directory: Path) -> keras.Model:
    if is_own(settings.architecture):
        return load_own(settings, facts, directory / INITIAL)
    return build_model(settings.model_spec(facts))
