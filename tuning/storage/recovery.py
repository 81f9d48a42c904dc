"""Files of a study that a power cut or a bad disk has damaged: moved aside, and made anew from what the others hold.

A study's own writes are atomic, so no kill leaves such a file.
"""

from collections.abc import Iterator
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.files import sweep
from keras_cnn.records import is_damaged, read_record
from keras_cnn.training.recovery import (
    READERS,
    damaged_archives,
    drop_results,
    quarantine,
    quarantine_damaged,
)
from keras_cnn.training.run_directory import (
    BEST,
    BEST_WEIGHTS,
    CHECKPOINT,
    METRICS,
    RUN,
    RUN_COPY,
    TEST,
    TRIAL,
    read_metrics,
    read_run,
)
from tuning.config import COMPLETED, STUDY, STUDY_COPY, StudyConfig, parse_study
from tuning.oracles.base import configuration_of
from tuning.oracles.plan import continues_trials
from tuning.storage.trials import run_directory, trials
from tuning.trial import read_trial


def repair_damaged_files(study: StudyConfig) -> list[str]:
    """Move damaged files of `study` to its `quarantine`, so that the search can continue; returns a line for each.

    A completed trial whose files are damaged runs again from its last checkpoint that is whole, and ends with the same
    score. Only a trial of which nothing is left is lost. What killed processes left half-written is deleted.
    """
    for folder in [study.directory, *study.directory.glob("trials/**/")]:
        sweep(folder)
    return [*_study_files(study), *_trials(study), *_best_weights(study), *_oracle_files(study)]


def _study_files(study: StudyConfig) -> Iterator[str]:
    for name in (STUDY, STUDY_COPY):
        path = study.directory / name
        if not path.exists() or is_damaged(path, parse_study):
            yield quarantine(study.directory, path, "written anew from its copy")
            study.write()
    if is_damaged(study.directory / BEST, read_record):
        yield quarantine(study.directory, study.directory / BEST, "the report writes it anew")


def _oracle_files(study: StudyConfig) -> Iterator[str]:
    for path in sorted(study.directory.glob("keras_tuner/trial_*/trial.json")):
        if is_damaged(path, read_record):
            yield quarantine(study.directory, path, "written anew from the trial's own")


def _trials(study: StudyConfig) -> Iterator[str]:
    for directory in sorted(study.directory.glob("trials/*")):
        if _has_configuration(study, directory):
            yield from _trial(study, directory, directory)
        else:
            yield quarantine(study.directory, directory, "nothing says what it trained: the trial is lost")


def _best_weights(study: StudyConfig) -> Iterator[str]:
    """Of the best trial, which is to be exported; those of others may have been deleted to keep within `--disk`."""
    winner = next(iter(trials(study)), None)
    if winner is None or winner["score"] is None:
        return
    run = run_directory(study, winner)
    if not (run / BEST_WEIGHTS).exists():
        yield quarantine(study.directory, run / BEST_WEIGHTS, f"trial {winner['trial']} begins anew")
        drop_results(run, archives=True)
        drop_results(study.trial_directory(winner["trial"]))


def _has_configuration(study: StudyConfig, directory: Path) -> bool:
    try:
        configuration_of(study.directory, directory.name)
    except InputError:
        return False
    return True


def _trial(study: StudyConfig, trial: Path, run: Path) -> Iterator[str]:
    """Of one run of a trial: the trial's own directory, or that of a repeat or a fold."""
    for repeat in [*sorted(run.glob("repeat_*")), *sorted(run.glob("fold_*"))]:
        yield from _trial(study, trial, repeat)
    again = f"trial {trial.name} continues from its checkpoint"
    consequences = {
        TRIAL: again,
        RUN: "written anew",
        RUN_COPY: "written anew",
        TEST: "export measures anew",
        METRICS: again,
    }
    readers = {**READERS, TRIAL: lambda path: read_trial(path.parent)}
    damaged = quarantine_damaged(study.directory, run, consequences, readers)
    yield from damaged.values()
    if RUN in damaged and RUN_COPY not in damaged and (run / RUN_COPY).exists():
        read_run(run).write()
    if {TRIAL, METRICS} & damaged.keys() or not (run / RUN).exists():
        drop_results(run)
        drop_results(trial)
    yield from _archives(study, trial, run)


def _archives(study: StudyConfig, trial: Path, run: Path) -> Iterator[str]:
    damaged = damaged_archives(run)
    state = read_metrics(run)["state"] if (run / METRICS).exists() else None
    # where no trial continues another, the checkpoint of one that has ended is of no use
    needless = state == COMPLETED and not continues_trials(study) and damaged == [run / CHECKPOINT]
    anew = state in (COMPLETED, None) and not needless
    for path in damaged:
        yield quarantine(
            study.directory, path, f"trial {trial.name} {'begins anew' if anew else 'has ended'}"
        )
    if damaged and anew:
        drop_results(run, archives=True)
        drop_results(trial)
