"""The trials of a study as rows: outcome and hyperparameters, best first."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_cnn.directories import owner
from keras_cnn.errors import DamagedFileError, InputError
from keras_cnn.training.recovery import damaged_archives
from keras_cnn.training.run_directory import METRICS, read_metrics
from tuning.config import COMPLETED, DAMAGED, INTERRUPTED, RUNNING, StudyConfig
from tuning.objectives import non_dominated
from tuning.trial import TrialSpec, read_trial

OUTCOME = (
    *("trial", "state", "score", "loss", "best_epoch", "epochs", "seconds", "parameters"),
    *("macs", "latency_ms", "objectives", "pareto", "interval", "run", "pruned", "message"),
)
SOMETIMES = ("macs", "latency_ms", "pareto")  # columns only where trials have such values


Row = dict[str, Any]  # the outcome and the hyperparameters of a trial


def trials(study: StudyConfig) -> list[Row]:
    """The trials of a study, from the files in `trials/` alone.

    Returns:
        One dict a trial: the keys of OUTCOME (None where there is no such value) and its hyperparameters. Best
        first, then those that did not complete; of equal scores the lower loss is better.
    """
    searched = owner(study.directory) is not None
    rows = [_row(path, searched) for path in sorted(study.directory.glob("trials/*")) if path.is_dir()]

    def key(row: Row) -> tuple:
        return row["score"] is None, -study.sign * (row["score"] or 0), row["loss"] or 0, row["trial"]

    _mark_front(study, rows)
    return sorted(rows, key=key)


def _mark_front(study: StudyConfig, rows: Sequence[Row]) -> None:
    """Set `pareto` of completed trials: whether no other is better, where a study has several objectives."""
    if study.further_objectives:
        completed = [row for row in rows if row["score"] is not None]
        points = [list(objective_values(study, row).values()) for row in completed]
        signs = [objective.sign for objective in study.objectives]
        for row, best in zip(completed, non_dominated(points, signs), strict=True):
            row["pareto"] = best


def objective_values(study: StudyConfig, row: Row) -> dict[str, float | None]:
    """Name -> value of every objective for a trial that has completed, in their order."""
    others = row["objectives"] or {}
    return {study.objective: row["score"]} | {one.name: others.get(one.name) for one in study.objectives[1:]}


def flat(rows: Sequence[Row]) -> list[Row]:
    """The rows with a column for each objective, and without columns that hold nothing in any."""
    empty = [name for name in SOMETIMES if all(row[name] is None for row in rows)]
    return [
        {name: value for name, value in row.items() if name not in (*empty, "objectives")}
        | (row["objectives"] or {})
        for row in rows
    ]


def _row(directory: Path, searched: bool) -> Row:
    """searched: whether a coordinator lives, so that a trial without a result is running."""
    metrics = outcome(directory)
    spec = spec_of(directory)
    state = metrics.get("state", RUNNING if searched else INTERRUPTED)
    return {
        **{name: metrics.get(name) for name in OUTCOME},
        "trial": directory.name,
        "state": state,
        "score": metrics["score"] if state == COMPLETED else None,
        "epochs": spec.stop_epoch if spec else None,
        **(spec.hyperparameters if spec else {}),
        **metrics.get("hyperparameters", {}),
    }


def outcome(directory: Path) -> dict:
    """The metrics of the trial in `directory`; empty before it ends, of state DAMAGED if they cannot be read."""
    try:
        return read_metrics(directory) if (directory / METRICS).exists() else {}
    except InputError as error:
        return {"state": DAMAGED, "message": str(error)}


def damage(study: StudyConfig, rows: Sequence[Row]) -> list[str]:
    """A line for each file of the results that is damaged: those of all trials, and the weights of the best.

    rows: of `trials`.
    """
    lines = [row["message"] for row in rows if row["state"] == DAMAGED]
    if rows and rows[0]["score"] is not None:
        lines += [
            str(DamagedFileError(path, "checksum"))
            for path in damaged_archives(run_directory(study, rows[0]))
        ]
    return lines


def spec_of(directory: Path) -> TrialSpec | None:
    """The trial in `directory`; None if its file is missing or damaged."""
    try:
        return read_trial(directory)
    except InputError:
        return None


def best(study: StudyConfig) -> Row:
    """The row of the best trial; InputError if none has completed, or the result of any is damaged."""
    rows = trials(study)
    damaged = [row["trial"] for row in rows if row["state"] == DAMAGED]
    if damaged:
        raise InputError(
            f"the results of trials {', '.join(damaged)} in {study.directory} are damaged, so the best is not known: "
            f"keras-cnn resume {shlex.quote(str(study.directory))} makes them again."
        )
    if not rows or rows[0]["score"] is None:
        raise InputError(
            f"no trial of {study.directory} has completed; {len(rows)} were started. "
            f"Continue with keras-cnn resume {shlex.quote(str(study.directory))}."
        )
    return rows[0]


def run_directory(study: StudyConfig, row: Row) -> Path:
    """The directory of a trial's run; of several repeats, the best one's."""
    return study.trial_directory(row["trial"]) / (row["run"] or "")


def hyperparameters(row: Row, *, tuner: bool = False) -> dict:
    """The searched values of a row, without its outcome, and without what the tuner added unless `tuner`."""
    return {k: v for k, v in row.items() if k not in OUTCOME and (tuner or not k.startswith("tuner/"))}


def summary_line(study: StudyConfig, rows: Sequence[Row]) -> str:
    """One sentence: what was searched, how, and the training time."""
    completed = sum(row["score"] is not None for row in rows)
    minutes = sum(row["seconds"] or 0 for row in rows) / 60
    # the tuner auto may choose them itself
    epochs = max((row["epochs"] or 0 for row in rows), default=0) or study.base.epochs
    return (
        f"{study.title}: {len(rows)} trials, "
        f"{completed} completed, {minutes:.1f} minutes of training, at most {epochs} epochs, "
        f"seed {study.base.seed}."
    )
