"""One run from its settings to a directory that holds everything: what `keras-cnn train` does."""

import contextlib
import dataclasses
import functools
import logging
import shlex
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import keras
import tensorflow as tf

from keras_cnn.data.arrays import ARRAYS
from keras_cnn.data.dataset import ImageData
from keras_cnn.data.left_out import LEFT_OUT, write_left_out
from keras_cnn.data.sources import load
from keras_cnn.directories import claim, data_stem, held
from keras_cnn.errors import InputError
from keras_cnn.files import write_file
from keras_cnn.models.own import is_own, own_stem
from keras_cnn.provenance import changes
from keras_cnn.records import write_record
from keras_cnn.task import TASKS
from keras_cnn.training.batch_size import batch_size_note
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.evaluate import summary
from keras_cnn.training.make_model import own_loss, seeded_model
from keras_cnn.training.own_model import own_model_file, with_own
from keras_cnn.training.progress import StepProgress
from keras_cnn.training.recovery import drop_results, repair_run, train_without_damage
from keras_cnn.training.report.page import REPORT
from keras_cnn.training.results import measure_on_test, write_curves
from keras_cnn.training.run_directory import (
    CHECKPOINT,
    COMPLETED,
    INITIAL,
    METRICS,
    RUN,
    RUN_COPY,
    TEST,
    TRIAL,
    Run,
    read_metrics,
    read_run,
)
from keras_cnn.training.strategy import describe, get_strategy
from keras_cnn.training.train import train_epochs

logger = logging.getLogger(__name__)


def train_run(
    settings: TrainSettings,
    directory: Path | None = None,
    *,
    model: keras.Model | Callable | None = None,
    data: ImageData | None = None,
    devices: int | None = None,
    download: bool = False,
    callbacks: Iterable[keras.callbacks.Callback] = (),
) -> Path:
    """Load the data, train, measure the best weights once on the test split, and log each step.

    Leaves run.json, epochs.csv, metrics.json, curves.png, test.json, test.png, confusion_matrix.png, report.html,
    model.keras, weights, a checkpoint and TensorBoard logs, and left_out.txt if many files of the data cannot be read.

    Args:
        settings: of the run.
        model: of the user's own, or a function that builds one, for which `settings.architecture` is `own_name`.
        data: what `settings.data` names, if it is loaded already.
        directory: where to write; None for the first free `runs/DATA-ARCHITECTURE-N`.
        devices: as `get_strategy` takes it.
        download: whether a TFDS data set may be fetched from the network.
        callbacks: more Keras callbacks.

    Returns:
        The directory.

    Raises:
        InputError: if the directory holds a run already or another process writes there, and for settings that cannot
            be trained; then nothing is written.
    """
    settings.check_names()
    own = is_own(settings.architecture)
    stem = f"{data_stem(settings.data)}-{own_stem(settings.architecture)}"
    with claim(directory, stem, RUN) as claimed, contextlib.ExitStack() as stack:
        data = data or _loaded(settings, download)
        strategy = get_strategy(devices)
        given, settings = settings, settings.resolved(data.facts, strategy.num_replicas_in_sync)
        # what cannot be built is refused before anything is written
        source = model or settings.architecture
        initial = stack.enter_context(own_model_file(source, given, data.facts)) if own else None
        built = seeded_model(settings, data, strategy, initial)
        if initial:
            settings = with_own(settings, built[0], own_loss(built[0], settings), TASKS[data.facts.task])
        run = Run(claimed, settings, data.facts, replicas=strategy.num_replicas_in_sync)
        run.write()
        if initial:
            write_file(claimed / INITIAL, functools.partial(shutil.copyfile, initial))
        for note in batch_size_note(
            given.batch_size, settings.batch_size, settings.input_facts(data.facts), run.replicas
        ):
            logger.info(f"note: {note}")
        with _continuable(run):
            _train(run, data, strategy, built, callbacks)
    return claimed


def _loaded(settings: TrainSettings, download: bool = False) -> ImageData:
    logger.info(f"loading {settings.data}")
    return load(**settings.load_arguments(), download=download)


@contextlib.contextmanager
def _continuable(run: Run) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        command = f"keras-cnn train --resume {shlex.quote(str(run.directory))}"
        in_memory = f"keras_cnn.TrainingRun({str(run.directory)!r}, data).resume()"
        logger.info(f"To continue: {in_memory if run.settings.data == ARRAYS else command}")
        raise


def resume_run(
    directory: Path,
    *,
    epochs: int | None = None,
    data: ImageData | None = None,
    devices: int | None = None,
    callbacks: Iterable[keras.callbacks.Callback] = (),
) -> None:
    """Go on with the run in `directory` after its last finished epoch, as if it had never stopped.

    Args:
        directory: of the run; damaged files in it are moved to its `quarantine` first.
        epochs: a new number of epochs, larger than the finished ones; None keeps the run's. The schedule of the
            learning rate is then that of the new number, and the test split is measured again.
        data: those that the run was trained on, if they are loaded already.
        devices: as `get_strategy` takes it.
        callbacks: more Keras callbacks.

    Raises:
        InputError: if it is no run, has ended, was trained on another number of replicas, or is in use.
    """
    read_run(directory)
    if (directory / TRIAL).exists():
        raise InputError(
            f"{directory} is a trial of a search, whose trials could not be compared if one was trained by itself: "
            f"continue all with keras-cnn resume {shlex.quote(str(directory.resolve().parents[1]))}."
        )
    with held(directory):
        run, notes = repair_run(directory)
        for note in [*notes, *changes(directory / RUN, directory / RUN_COPY)]:
            logger.info(note)
        longer = _with_epochs(run, epochs)
        if longer is run and (directory / METRICS).exists() and (directory / TEST).exists():
            raise InputError(
                f"{directory} has finished all its {run.settings.epochs} epochs. Give --epochs to train it longer."
            )
        strategy = get_strategy(devices)
        if strategy.num_replicas_in_sync != run.replicas:
            raise InputError(
                f"{directory} was trained on {run.replicas} devices, here are {strategy.num_replicas_in_sync}: the "
                f"global batch would be another. Give --devices {run.replicas}."
            )
        data = run.checked(data or _loaded(run.settings))
        built = seeded_model(longer.settings, data, strategy, directory / INITIAL)
        if longer is not run:
            drop_results(directory)  # those of fewer epochs, kept until nothing can be refused any more
        longer.write()
        with _continuable(run):
            _train(longer, data, strategy, built, callbacks)


def _with_epochs(run: Run, epochs: int | None) -> Run:
    """`run`, to be trained to `epochs`."""
    if epochs is None or epochs == run.settings.epochs:
        return run
    if epochs < run.settings.epochs:
        raise InputError(f"--epochs {epochs} must be more than the {run.settings.epochs} of {run.directory}.")
    if (run.directory / METRICS).exists():
        trained = len(read_metrics(run.directory)["history"]["loss"])
        if trained < run.settings.epochs:
            raise InputError(
                f"{run.directory} ended after {trained} epochs, since {run.settings.patience} brought no better score "
                "(patience): more --epochs would change nothing."
            )
    return dataclasses.replace(run, settings=dataclasses.replace(run.settings, epochs=epochs))


def _train(
    run: Run,
    data: ImageData,
    strategy: tf.distribute.Strategy,
    built: tuple[keras.Model, int, int],
    callbacks: Iterable[keras.callbacks.Callback],
) -> None:
    for note in data.facts.notes:
        logger.info(f"note: {note}")
    for line in write_left_out(data, run.directory / LEFT_OUT):
        logger.info(line)
    assert run.settings.batch_size, "a run's settings are resolved"
    logger.info(describe(strategy, run.settings.batch_size))
    with StepProgress(run.settings.epochs, built[2]) as shown:
        result = train_without_damage(
            run.directory,
            lambda: train_epochs(
                run.settings,
                data,
                run.directory,
                strategy=strategy,
                built=built,
                start_from=run.directory if (run.directory / CHECKPOINT).exists() else None,
                report=epoch_line(run.settings.epochs, _metric(run)),
                callbacks=[shown, *callbacks],
            ),
        )
    write_record(run.directory / METRICS, {"state": COMPLETED, **dataclasses.asdict(result)})
    write_curves(run, result.history, result.objective)
    test = measure_on_test(run, data.load_test)
    score = result.objective.removeprefix("val_").replace("_", " ")
    logger.info(f"best epoch {result.best_epoch}: validation {score} {result.score:.4f}, {summary(test)}")
    logger.info(f"{result.parameters:,} parameters, {result.seconds:.1f} s\nrun: {run.directory}")
    logger.info(f"report: {run.directory / REPORT}")
    logger.info(f"tensorboard --logdir {shlex.quote(str(run.log_directory))}")


def _metric(run: Run) -> str:
    """The metric that is logged after each epoch beside the loss."""
    return (run.settings.objective or TASKS[run.facts.task].objective).removeprefix("val_")


def epoch_line(epochs: int, score: str) -> Callable[[int, dict], None]:
    """A report that logs each epoch's losses and `score`, the name of a metric, in one line."""

    def report(epoch: int, logs: dict) -> None:
        names = [name for name in dict.fromkeys(("loss", score, "val_loss", f"val_{score}")) if name in logs]
        values = "  ".join(f"{name} {logs[name]:.4f}" for name in names)
        logger.info(f"epoch {epoch:3d}/{epochs}  {values}  {logs['seconds']:.1f} s")

    return report
