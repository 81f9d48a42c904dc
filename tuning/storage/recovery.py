"""Files of a study that a power cut or a bad disk has damaged: put aside, and made anew from what the others know.

A study's own writes are atomic, so no kill leaves such a file.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from keras_tuner.engine.trial import Trial

from keras_cnn.errors import InputError
from keras_cnn.files import read_json, write_json
from keras_cnn.training.callbacks import BEST_WEIGHTS, CHECKPOINT
from keras_cnn.training.run_directory import METRICS, RUN, TEST
from tuning.config import COMPLETED, RUNNING, STUDY, STUDY_COPY, TRIAL, Study, read_trial
from tuning.oracles.base import PROJECT, declare_space

QUARANTINE = "quarantine"


def repair_damaged_files(study: Study) -> list[str]:
    """Move damaged files of `study` to its `quarantine`, so that the search can continue; returns a line for each.

    A completed trial whose files are damaged runs again from its last checkpoint that is whole, and ends with the same
    score. Only a trial of which nothing is left is lost.
    """
    return [*_study_files(study), *_trials(study), *_oracle_files(study)]


def _study_files(study: Study) -> Iterator[str]:
    for name in (STUDY, STUDY_COPY):
        path = study.directory / name
        if not _is_json(path):
            yield _quarantine(study, path, "written anew from its copy")
            study.write()


def _oracle_files(study: Study) -> Iterator[str]:
    """KerasTuner's trial.json is made anew from the trial's own; results it lacks are reported to it again."""
    space = declare_space(study)
    folder = study.directory / PROJECT
    known = {path.name for path in study.directory.glob("trials/*") if (path / TRIAL).exists()}
    for path in sorted(folder.glob("trial_*/trial.json")):
        if not _is_trial(path):
            whole = path.parent.name.removeprefix("trial_") in known
            yield _quarantine(
                study, path, "written anew from the trial's own" if whole else "the trial is lost"
            )
    for trial_id in sorted(known):
        path = folder / f"trial_{trial_id}" / "trial.json"
        if not path.exists():
            hyperparameters = space.copy()
            hyperparameters.values = read_trial(study.trial_directory(trial_id)).hyperparameters
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, Trial(hyperparameters, trial_id, RUNNING).get_state())


def _trials(study: Study) -> Iterator[str]:
    for directory in sorted(study.directory.glob("trials/*")):
        yield from _trial(study, directory, directory)


def _trial(study: Study, trial: Path, run: Path) -> Iterator[str]:
    """Of one run of a trial: the trial's own directory, or that of a repeat."""
    for repeat in sorted(run.glob("repeat_*")):
        yield from _trial(study, trial, repeat)
    if not _is_json(run / TEST):
        yield _quarantine(study, run / TEST, "export measures anew")
    damaged = [run / name for name in (TRIAL, RUN, METRICS) if not _is_json(run / name)]
    archives = [run / name for name in (BEST_WEIGHTS, CHECKPOINT) if not _is_archive(run / name)]
    if not damaged and not archives:
        return
    for path in [*damaged, *archives]:
        yield _quarantine(study, path, f"trial {trial.name} is repaired")
    if archives:  # the checkpoint holds the epoch of the best weights: each needs the other
        for name in (BEST_WEIGHTS, CHECKPOINT):
            (run / name).unlink(missing_ok=True)
    if _state(run) in (COMPLETED, None):
        for folder in {run, trial}:
            (folder / METRICS).unlink(missing_ok=True)
        _run_again(study, trial.name)


def _state(run: Path) -> str | None:
    return read_json(run / METRICS)["state"] if (run / METRICS).exists() else None


def _run_again(study: Study, trial_id: str) -> None:
    """Mark the trial as interrupted for the oracle, unless it has failed."""
    path = study.directory / PROJECT / f"trial_{trial_id}" / "trial.json"
    if path.exists() and _is_trial(path):
        content = json.loads(path.read_text())
        if content["status"] == COMPLETED:
            write_json(path, {**content, "status": RUNNING, "score": None})


def _quarantine(study: Study, path: Path, consequence: str) -> str:
    relative = path.relative_to(study.directory)
    if not path.exists():
        return f"note: {relative} is missing; {consequence}."
    place = study.directory / QUARANTINE / relative
    while place.exists():
        place = place.with_name(place.name + "~")
    place.parent.mkdir(parents=True, exist_ok=True)
    path.rename(place)
    return f"note: {path} was damaged and is now {place}; {consequence}."


def _is_json(path: Path) -> bool:
    """Whether it is whole, or not there."""
    try:
        return isinstance(read_json(path), dict) if path.exists() else path.name not in (STUDY, STUDY_COPY)
    except InputError:
        return False


def _is_trial(path: Path) -> bool:
    try:
        Trial.load(str(path))
        return True
    except Exception:  # KerasTuner raises many kinds of errors for what it cannot read
        return False


def _is_archive(path: Path) -> bool:
    """Whether it is whole, or not there; of the parts only the list at its end is read."""
    return not path.exists() or zipfile.is_zipfile(path)
