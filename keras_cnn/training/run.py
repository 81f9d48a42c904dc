"""One run from its settings to a directory that holds everything: what `keras-cnn train` does."""

import dataclasses
import logging
import shlex
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from keras_cnn.data.dataset import ImageData, Split
from keras_cnn.data.left_out import LEFT_OUT, write_left_out
from keras_cnn.data.sources import load
from keras_cnn.errors import InputError
from keras_cnn.files import read_json, write_file, write_json
from keras_cnn.training.batch_size import batch_size_note
from keras_cnn.training.callbacks import CHECKPOINT
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.evaluate import measure, predict, summary
from keras_cnn.training.evaluate_masks import measure_masks, predict_mask
from keras_cnn.training.mask_plots import examples, mask_figure
from keras_cnn.training.plots import confusion_figure, sample_figure, write_figures
from keras_cnn.training.run_directory import METRICS, RUN, TEST, Run, read_run
from keras_cnn.training.strategy import describe, get_strategy
from keras_cnn.training.tasks import score_name
from keras_cnn.training.train import best_model, seeded_model, train

logger = logging.getLogger(__name__)

PICTURE = "test.png"


def train_run(
    settings: TrainSettings,
    directory: Path,
    *,
    devices: int | None = None,
    download: bool = False,
) -> None:
    """Load the data, train, measure the best weights once on the test split, and log each step.

    Leaves run.json, epochs.csv, metrics.json, test.json, test.png, weights, a checkpoint and TensorBoard logs in
    `directory`, and left_out.txt if many files of the data cannot be read. InputError if it holds a run already.
    """
    settings.check_names()
    if (directory / RUN).exists():
        raise InputError(
            f"{directory} already holds a run. Continue it with keras-cnn train --resume "
            f"{shlex.quote(str(directory))}, or choose another --directory."
        )
    data = load(**settings.load_arguments(), download=download)
    strategy = get_strategy(devices)
    given, settings = settings, settings.resolved(data.facts, strategy.num_replicas_in_sync)
    built = seeded_model(
        settings, data, strategy
    )  # what cannot be built is refused before anything is written
    run = Run(directory, settings, data.facts, replicas=strategy.num_replicas_in_sync)
    run.write()
    for note in batch_size_note(
        given.batch_size, settings.batch_size, settings.input_facts(data.facts), run.replicas
    ):
        logger.info(f"note: {note}")
    _train(run, data, strategy, built)


def resume_run(directory: Path, *, devices: int | None = None) -> None:
    """Go on with the run in `directory` after its last finished epoch, as if it had never stopped.

    InputError if it is no run, has ended, or was trained on another number of replicas.
    """
    run = read_run(directory)
    if (directory / METRICS).exists():
        raise InputError(f"{directory} has finished all its {run.settings.epochs} epochs.")
    strategy = get_strategy(devices)
    if strategy.num_replicas_in_sync != run.replicas:
        raise InputError(
            f"{directory} was trained on {run.replicas} devices, here are {strategy.num_replicas_in_sync}: the "
            f"global batch would be another. Give --devices {run.replicas}."
        )
    _train(run, load(**run.settings.load_arguments()), strategy)


def _train(
    run: Run,
    data: ImageData,
    strategy: tf.distribute.Strategy,
    built: tuple[keras.Model, int, int] | None = None,
) -> None:
    for note in data.facts.notes:
        logger.info(f"note: {note}")
    for line in write_left_out(data, run.directory / LEFT_OUT):
        logger.info(line)
    assert run.settings.batch_size, "a run's settings are resolved"
    logger.info(describe(strategy, run.settings.batch_size))
    result = train(
        run.settings,
        data,
        run.directory,
        strategy=strategy,
        built=built,
        start_from=run.directory if (run.directory / CHECKPOINT).exists() else None,
        report=epoch_line(run.settings.epochs, score_name(run.facts.task)),
    )
    write_json(run.directory / METRICS, {"state": "COMPLETED", **dataclasses.asdict(result)})
    test = measure_on_test(run, data.load_test)
    score = score_name(run.facts.task).replace("_", " ")
    logger.info(f"best epoch {result.best_epoch}: validation {score} {result.score:.4f}, {summary(test)}")
    logger.info(f"{result.parameters:,} parameters, {result.seconds:.1f} s\nrun: {run.directory}")
    logger.info(f"tensorboard --logdir {shlex.quote(str(run.log_directory))}")


def epoch_line(epochs: int, score: str) -> Callable[[int, dict], None]:
    """A report that logs each epoch's losses and `score`, the name of a metric, in one line."""

    def report(epoch: int, logs: dict) -> None:
        logger.info(
            f"epoch {epoch:3d}/{epochs}  loss {logs['loss']:.4f}  {score} {logs[score]:.4f}  "
            f"val_loss {logs['val_loss']:.4f}  val_{score} {logs[f'val_{score}']:.4f}  {logs['seconds']:.1f} s"
        )

    return report


def measure_on_test(run: Run, load_test: Callable[[], Split]) -> dict:
    """Measure the best weights on the test split, once: a second call reads what the first one wrote."""
    path = run.directory / TEST
    if path.exists():
        return read_json(path)
    test, model = load_test(), best_model(run.settings, run.facts, run.directory)
    measured, figures = (_masks if run.facts.task == "segmentation" else _labels)(
        model, test, run.facts.classes
    )
    write_figures(run.log_directory / "test", figures, run.settings.epochs)
    picture = figures["predictions"]
    write_file(
        run.directory / PICTURE, lambda temporary_path: picture.savefig(temporary_path, format="png", dpi=80)
    )
    write_json(path, measured)
    return measured


def _labels(model: keras.Model, test: Split, classes: tuple[str, ...]) -> tuple[dict, dict]:
    probabilities = predict(model, test)
    measured = measure(probabilities, test.labels)
    return measured, {
        "confusion_matrix": confusion_figure(classes, measured["confusion"]),
        "predictions": sample_figure(classes, test, probabilities),
    }


def _masks(model: keras.Model, test: Split, classes: tuple[str, ...]) -> tuple[dict, dict]:
    measured, quality = measure_masks(lambda image: predict_mask(model, image), test, classes)
    return measured, {
        "confusion_matrix": confusion_figure(classes, measured["confusion"], shares=True),
        "predictions": mask_figure(classes, *examples(model, test, quality)),
    }
