"""Train the best configuration of a study once more, on the training and the validation images together."""

import logging
from dataclasses import replace
from pathlib import Path

from keras_cnn.data.folds import ALL
from keras_cnn.directories import held
from keras_cnn.errors import InputError
from keras_cnn.training.recovery import damaged_archives, drop_results
from keras_cnn.training.run_directory import METRICS, read_metrics
from tuning.config import COMPLETED, FAILED, StudyConfig
from tuning.executors.base import ENDED, Event, Executor
from tuning.executors.inputs import Inputs
from tuning.executors.machine import MachineSettings, count_gpus
from tuning.executors.start_workers import started
from tuning.storage.trials import Row, best
from tuning.trial import TrialSpec, read_trial

logger = logging.getLogger(__name__)

REFIT = "refit"  # the folder in a study
ATTEMPTS = 3  # of a training whose worker dies
TURN_SECONDS = 1.0


def refit_in_worker(study: StudyConfig, inputs: Inputs = Inputs()) -> Path:  # noqa: B008 (it is frozen)
    """`refit` of a study whose directory nobody holds, in a worker of its own. inputs: that the study does not name."""
    machine = MachineSettings(1, max(1, study.devices or 1))
    gpus = count_gpus(machine)
    with (
        held(study.directory),
        started(machine, gpus, study.devices, study.threads, inputs) as executor,
    ):
        return refit(study, executor)


def refit(study: StudyConfig, executor: Executor) -> Path:
    """Train the configuration of the best trial on all images but those of the test split, and say what that means.

    It trains for the mean of the best epochs of the trial's runs, of a schedule of as many epochs as theirs. If it was
    interrupted, it goes on after the last epoch; what has been trained already is not trained again.

    Args:
        study: whose directory the caller holds.
        executor: started.

    Returns:
        The directory of the run.

    Raises:
        InputError: if no trial has completed, or the training fails.
    """
    winner = best(study)
    directory = study.directory / REFIT / winner["trial"]
    spec = refit_spec(study, winner)
    _prepare(directory, spec)
    logger.info(
        f"training the configuration of trial {winner['trial']} on all training and validation images, for "
        f"{spec.stop_epoch} epochs"
    )
    if not (directory / METRICS).exists():
        _train(directory, winner["trial"], executor)
    metrics = read_metrics(directory)
    if metrics["state"] != COMPLETED:
        raise InputError(
            f"the training of {directory} ended as {metrics['state']}: {_first_line(metrics)}. Export "
            "the model that was scored, without refit."
        )
    logger.info(
        f"note: this model was not validated: {study.objective} {winner['score']:.4f} is that of its configuration, "
        "trained on fewer images"
    )
    return directory


def refit_spec(study: StudyConfig, winner: Row) -> TrialSpec:
    """The training of the configuration of a trial on all images."""
    trial = study.trial_directory(winner["trial"])
    metrics = read_metrics(trial)
    epochs = metrics.get("best_epochs", [metrics["best_epoch"]])
    spec = read_trial(trial)
    return TrialSpec(
        settings=replace(spec.settings, patience=None),  # nothing is validated that could get no better
        stop_epoch=max(1, round(sum(epochs) / len(epochs))),
        hyperparameters=spec.hyperparameters,
        takes_hyperparameters=spec.takes_hyperparameters,
        fold=ALL,
    )


def _prepare(directory: Path, spec: TrialSpec) -> None:
    """Write the trial; what is left of another one, or of one that failed, is deleted."""
    if directory.exists():
        try:
            state = read_metrics(directory)["state"] if (directory / METRICS).exists() else None
            whole = state is None or (state == COMPLETED and not damaged_archives(directory))
            same = whole and read_trial(directory) == spec
        except InputError:  # damaged
            same = False
        if same:
            return
        drop_results(directory, archives=True)
    spec.write(directory)


def _train(directory: Path, trial_id: str, executor: Executor) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        executor.start(trial_id, directory, float("inf"))
        death = _ended(executor).content
        if not death:
            return
        message = _first_line(death)
        if death["state"] != FAILED or attempt == ATTEMPTS:
            raise InputError(f"the training of {directory} ended as {death['state']}: {message}.")
        logger.info(f"{message}; the training continues in another worker")
    raise AssertionError("the last attempt returns or raises")


def _first_line(failure: dict) -> str:
    return failure["message"].splitlines()[0].rstrip(".")


def _ended(executor: Executor) -> Event:
    """Wait for the end of the only trial that runs."""
    while True:
        for event in executor.wait(TURN_SECONDS):
            if event.kind == ENDED:
                return event
            logger.info(f"epoch {event.content['epoch']}, loss {event.content['loss']:.4f}")
