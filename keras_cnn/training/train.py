"""The epochs of one run, from settings and data to the best weights and metrics."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import tensorflow as tf

from keras_cnn.data.dataset import DataFacts, ImageData, Split
from keras_cnn.data.pipeline import evaluation_batches, training_batches
from keras_cnn.data.windows import Window, cut
from keras_cnn.errors import InputError
from keras_cnn.models.own import is_own
from keras_cnn.models.pretrained import load_pretrained
from keras_cnn.task import TASKS
from keras_cnn.training.batchnorm_statistics import BatchStatistics
from keras_cnn.training.callbacks import (
    EarlyStop,
    EpochReport,
    Record,
    StartupTime,
    seconds_before,
    tensorboard,
)
from keras_cnn.training.checkpoint import restore_state
from keras_cnn.training.class_weights import class_weights
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.ema import AveragedWeights
from keras_cnn.training.epoch_costs import read_costs
from keras_cnn.training.evaluate import window_of
from keras_cnn.training.make_model import own_loss, seeded_model
from keras_cnn.training.mask_plots import MaskPictures
from keras_cnn.training.own_model import takes_one_hot
from keras_cnn.training.run_directory import CHECKPOINT


class Diverged(InputError):
    """The loss is no longer finite: an error of the settings or the data, not of the program."""


@dataclass(frozen=True)
class TrainResult:
    """The result of a run.

    Args:
        score: of the best epoch, the value of the objective: validation accuracy, or mean IoU of masks, by default.
        loss: validation loss of the best epoch.
        best_epoch: its number, from 1; its weights are in `best.npz`.
        history: metric -> value per epoch.
        parameters: number of weights.
        trainable_parameters: number of trainable weights.
        seconds: of the training, in this session.
        objective: the metric that chose the best epoch.
        trained_seconds: of all epochs, those of earlier sessions and of the run that it continues too.
        epoch_seconds: of each epoch of this session.
        startup_seconds: those of them that went into the first steps, which are traced.
    """

    score: float
    loss: float
    best_epoch: int
    history: dict[str, list[float]]
    parameters: int
    trainable_parameters: int
    seconds: float
    objective: str = ""
    trained_seconds: float = field(default=0.0, compare=False)
    epoch_seconds: list[float] = field(default_factory=list, compare=False)
    startup_seconds: float = field(default=0.0, compare=False)


def train_epochs(
    settings: TrainSettings,
    data: ImageData,
    directory: Path,
    *,
    strategy: tf.distribute.Strategy,
    stop_epoch: int | None = None,
    start_from: Path | None = None,
    logs: Path | None = None,
    report: Callable[[int, dict], bool | None] = lambda epoch, logs: None,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    built: tuple[keras.Model, int, int] | None = None,
) -> TrainResult:
    """Train one model; writes `best.npz`, `checkpoint.npz` and `epochs.csv`.

    Args:
        settings: resolved settings (`TrainSettings.resolved`).
        data: the data set. Without validation images the weights of the last epoch are kept.
        directory: where to write.
        strategy: of `get_strategy`.
        stop_epoch: last epoch to train, of the schedule's `settings.epochs`; None for all.
        start_from: directory of a run whose checkpoint to continue (weights, optimizer, schedule, order of the images,
            random states), so that the result equals a run that was never stopped. If it is `directory` itself, best
            epoch and history continue too.
        logs: TensorBoard's folder; `directory`/logs if None.
        report: called after each epoch with its number, from 1, and its metrics; training ends if it returns True.
        callbacks: more Keras callbacks.
        built: what `seeded_model` returned for the same settings, data and strategy, to train it instead of a new one.

    Returns:
        The result of the best epoch.

    Raises:
        Diverged: at the first batch whose loss is not finite.
        InputError: if a batch is larger than the training split.
    """
    directory.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    stop_epoch, facts = stop_epoch or settings.epochs, data.facts
    model, batch_size, steps = built or seeded_model(settings, data, strategy)
    if settings.weights is not None and not start_from:
        with strategy.scope():
            load_pretrained(model, settings.architecture, Path(settings.weights))
    window, logs = window_of(model), logs or directory / "logs"
    validated = len(data.validation) > 0
    validation = cut(data.validation, window) if window and validated else data.validation
    own, task = own_loss(model, settings), TASKS[facts.task]
    one_hot = own and takes_one_hot(model, task)
    objectives = (
        (settings.objective,) if settings.objective else task.objectives if own else (task.objective,)
    )
    by_position = is_own(settings.architecture)
    record, initial_epoch = Record(directory, objectives, by_position, validated=validated), 0
    startup = StartupTime()
    if start_from:
        with strategy.scope():
            progress = restore_state(start_from / CHECKPOINT, model)
        initial_epoch = progress["epoch"]
        record.seconds = seconds_before(start_from)
        record.costs = [cost for cost in read_costs(start_from) if cost["epoch"] <= initial_epoch]
        if start_from == directory:
            record.resume(progress)
    # after a kill between the last epoch's checkpoint and the end of the run nothing is left to train
    if initial_epoch < stop_epoch and not record.out_of_patience(initial_epoch, settings.patience):
        validation_batches = (
            evaluation_batches(
                validation,
                2 * batch_size,
                replicas=strategy.num_replicas_in_sync,
                one_hot_classes=len(facts.classes) if one_hot else None,
            )
            if validated
            else None
        )
        history = model.fit(
            batches_of(
                settings,
                data.train,
                data.facts,
                batch_size,
                window,
                epochs=stop_epoch,
                initial_epoch=initial_epoch,
                one_hot=one_hot,
            ),
            validation_data=validation_batches,
            initial_epoch=initial_epoch,
            epochs=stop_epoch,
            steps_per_epoch=steps,
            shuffle=False,  # the batches come shuffled
            verbose=0,
            # validation must see averaged weights with statistics of their own, and Record must keep those
            callbacks=[
                startup,
                keras.callbacks.TerminateOnNaN(),
                AveragedWeights(),
                BatchStatistics(
                    training_batches(data.train, batch_size, epochs=1, seed=settings.seed, window=window),
                    validated,
                ),
                record,
                tensorboard(logs, stop_epoch),
                *(
                    [MaskPictures(logs, facts.classes, validation, stop_epoch, facts.value_range)]
                    if window and validated
                    else []
                ),
                EpochReport(report),
                EarlyStop(record, settings.patience),
                *callbacks,
            ],
        ).history
        _check_finite(history, initial_epoch)
    return TrainResult(
        score=record.score,
        loss=record.loss,
        best_epoch=record.epoch,
        history=record.history,
        parameters=model.count_params(),
        trainable_parameters=sum(math.prod(w.shape) for w in model.trainable_weights),
        seconds=time.perf_counter() - started,
        objective=record.objective,
        trained_seconds=record.seconds,
        epoch_seconds=[cost["seconds"] for cost in record.costs if cost["epoch"] > initial_epoch],
        startup_seconds=startup.seconds,
    )


def batches_of(
    settings: TrainSettings,
    split: Split,
    facts: DataFacts,
    batch_size: int,
    window: Window | None = None,
    *,
    epochs: int,
    initial_epoch: int = 0,
    one_hot: bool = False,
) -> tf.data.Dataset:
    """`training_batches` of `split` as `settings` want them, in global batches of `batch_size`."""
    return training_batches(
        split,
        batch_size,
        epochs=epochs,
        initial_epoch=initial_epoch,
        seed=settings.seed,
        augmentation=settings.augmentation,
        label_smoothing=settings.label_smoothing or 0.0,
        classes=len(facts.classes),
        balanced=settings.balanced,
        class_weight=class_weights(settings.class_weight, facts),
        window=window,
        value_range=facts.value_range,
        one_hot=one_hot,
    )


def _check_finite(history: dict, initial_epoch: int) -> None:
    for epoch, loss in enumerate(history.get("loss", []), start=initial_epoch + 1):
        if not math.isfinite(loss):
            raise Diverged(
                f"the loss became {loss} in epoch {epoch}: take a smaller learning_rate (keras-cnn lr-find suggests "
                "one), or let keras-cnn diagnose find the cause."
            )
