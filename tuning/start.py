"""The beginning of a search, from the command line and from Python: data, space and a study that is written."""

import logging
from dataclasses import replace
from pathlib import Path

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.folds import check_folds, facts_of_folds, notes_of_folds
from keras_cnn.errors import InputError
from keras_cnn.provenance import changes
from keras_cnn.task import TASKS
from keras_cnn.training.batch_size import searched_note
from keras_cnn.training.config import TrainSettings
from tuning.config import STUDY, STUDY_COPY, StudyConfig
from tuning.executors.base import Executor
from tuning.objectives import check_objectives
from tuning.oracles.base import declare_space
from tuning.reporting.progress import Progress
from tuning.search_loop import run_search, start_study
from tuning.search_settings import check_target
from tuning.space.warm_start import read_configurations
from tuning.storage.in_memory import resume_command
from tuning.storage.recovery import repair_damaged_files
from tuning.wanted import Wanted

logger = logging.getLogger(__name__)


def begin(
    wanted: Wanted,
    directory: Path,
    executor: Executor,
    *,
    gpus: int,
    devices: int | None,
    threads: int | None,
    facts: DataFacts | None = None,
    download: bool = False,
) -> StudyConfig:
    """Write a new study into `directory`, which the caller holds.

    Args:
        wanted: what to search.
        directory: of the study.
        executor: started.
        gpus: number of GPUs there are for trials.
        devices: of each trial.
        threads: of each trial.
        facts: of the data, if they are in memory; else a worker reads them.
        download: whether a TensorFlow Datasets set may be fetched from the network.

    Raises:
        InputError: if trials could not start; then nothing is written.
    """
    base = wanted.base
    if facts is None:
        logger.info(f"a worker reads {base.data} and checks that {wanted.title} can be trained on it")
        facts = DataFacts.from_dict(executor.facts(base, download))
    else:
        logger.info(f"a worker checks that {wanted.title} can be trained on {facts.name}")
    for note in notes_of_folds(facts) if wanted.search.folds else facts.notes:
        logger.info(f"note: {note}")
    for note in check_folds(facts, wanted.search.folds):
        logger.info(f"note: {note}")
    study = StudyConfig(
        directory,
        wanted.search,
        base.resolved(facts_of_folds(facts, wanted.search.folds), devices or 1),
        wanted.fixed,
        facts,
        devices=devices,
        threads=threads,
        use_gpu_widths=gpus > 0,
        architectures=wanted.architectures,
        further_objectives=wanted.further_objectives,
        epochs_follow_time=wanted.epochs_follow_time,
    )
    _check_batch_size(study)
    if wanted.takes_hyperparameters:
        study = _of_build(study, base, executor)
    else:
        _check_architectures(study)
    check_target(study.search.target, study.objective)
    if wanted.start_with:
        points = read_configurations([Path(file) for file in wanted.start_with], declare_space(study))
        study = replace(study, initial_configurations=points)
    start_study(study, executor)
    logger.info(f"{study.title}, {at_once(executor)}; study: {directory}")
    return study


def _check_batch_size(study: StudyConfig) -> None:
    """Raise InputError for a batch larger than what folds leave to train on; without folds a worker does so."""
    size, images = (study.base.batch_size or 1) * (study.devices or 1), study.model_input_info.images("train")
    if study.search.folds and not study.base.crop_size and size > images:
        raise InputError(
            f"a batch of {size} images does not fit the {images} that {study.search.folds} folds leave to train on: "
            "lower --batch_size."
        )


def _check_architectures(study: StudyConfig) -> None:
    """Raise InputError for objectives that models of ours have not; log what batch sizes are searched."""
    check_objectives(study.further_objectives, TASKS[study.facts.task].default_objectives)
    if "batch_size" not in study.fixed_hyperparameters:
        for note in searched_note(study.batch_sizes, study.model_input_info):
            logger.info(f"note: {note}")


def _of_build(study: StudyConfig, base: TrainSettings, executor: Executor) -> StudyConfig:
    """The study with what a user's build(hp) declares, and the metric that ranks its models."""
    found = executor.space(base)
    check_objectives(study.further_objectives, found["metrics"])
    study = replace(study, space=found["space"], base=replace(study.base, objective=found["objective"]))
    names = [parameter.name for parameter in declare_space(study).space]
    if not names:
        raise InputError(
            f"{base.architecture} declares no hyperparameters: call hp.Int, hp.Float, hp.Choice or hp.Boolean in it, "
            "or train it with keras_cnn.train."
        )
    logger.info(f"hyperparameters: {', '.join(dict.fromkeys(names))}; trials are ranked by {study.objective}")
    return study


def continued(study: StudyConfig, limits: dict, patience: int | None) -> StudyConfig:
    """A study that is to go on, written again; its directory is held by the caller.

    What is damaged is moved aside, and lines say so, and what has changed since the study was made.

    Args:
        study: as it was read.
        limits: fields of its SearchSettings that differ from now on.
        patience: of trials that are to begin; None for the study's.
    """
    check_target(limits.get("target"), study.objective)
    for note in changes(study.directory / STUDY, study.directory / STUDY_COPY):
        logger.info(note)
    for note in repair_damaged_files(study):
        logger.info(note)
    study = replace(study, search=replace(study.search, **limits))
    if patience is not None:
        study = replace(study, base=replace(study.base, patience=patience))
    study.write()
    return study


def run(
    study: StudyConfig, executor: Executor, *, started: float | None = None, exports: bool = False
) -> None:
    """Search until a limit is reached; after Ctrl-C a line says how to continue. Arguments as of `run_search`."""
    progress = Progress(logger.info, study.title, study.objective)
    try:
        run_search(study, executor, progress, started=started, exports=exports)
    except KeyboardInterrupt:
        logger.info(f"To continue: {resume_command(study)}")
        raise


def at_once(executor: Executor) -> str:
    """How many trials run at once, in words."""
    return f"{executor.slots} trials at once" if executor.slots > 1 else "one trial at a time"
