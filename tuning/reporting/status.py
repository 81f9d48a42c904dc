"""How far a search is, from its files alone: while it runs, from another terminal, or after it."""

import csv
import time
from collections import Counter

import psutil

from keras_cnn.directories import owner
from keras_cnn.training.callbacks import EPOCHS
from tuning import stopping
from tuning.config import INTERRUPTED, RUNNING, StudyConfig
from tuning.oracles.plan import planned_epochs
from tuning.reporting.live import Row, View
from tuning.storage.in_memory import resume_command
from tuning.storage.trials import spec_of, trials


def status(study: StudyConfig) -> View:
    """Who searches, how many trials ended how, the best, and the last epoch of those that run."""
    rows, process = trials(study), owner(study.directory)
    running = [row["trial"] for row in rows if row["state"] == RUNNING]
    best = rows[0] if rows and rows[0]["score"] is not None else None
    seconds = stopping.Clock(study).before
    ended = [row for row in rows if row["state"] not in (RUNNING, INTERRUPTED)]
    done = sum(stopping.epochs_of(study, row) for row in ended)
    planned = planned_epochs(study)
    resume = f"not running; {resume_command(study)}"
    here = f"process {process}" if process else resume
    return View(
        title=f"{study.title}: {here}",
        objective=study.objective,
        rows=[_row(study, trial) for trial in running],
        states=Counter(row["state"] for row in rows),
        best=(best["trial"], best["score"]) if best else None,
        seconds=seconds,
        left=seconds / done * (planned - done) if process and done and planned > done else None,
        memory=_memory(int(process)) if process else 0,
    )


def _row(study: StudyConfig, trial: str) -> Row:
    directory = study.trial_directory(trial)
    spec = spec_of(directory)
    epochs = spec.stop_epoch if spec else study.base.epochs
    path = max(directory.rglob(EPOCHS), key=lambda path: path.stat().st_mtime, default=None)
    try:
        lines = list(csv.DictReader(path.open(encoding="utf-8"))) if path else []
        values = [float(line[study.objective]) for line in lines]
        last = int(lines[-1]["epoch"]) if lines else 0
    except (ValueError, KeyError, TypeError):  # damaged; the next epoch writes it anew
        lines = []
    if not lines or path is None:
        return Row(trial, epochs)  # also if it continues another trial, which its own files do not say
    started = (directory / "trial.json").stat().st_mtime
    each = (path.stat().st_mtime - started) / len(lines) if time.time() > started else None
    best = max(values, key=lambda value: study.sign * value)
    return Row(trial, epochs, last, values[-1], best, each)


def _memory(process: int) -> int:
    try:
        coordinator = psutil.Process(process)
        return sum(
            one.memory_info().rss for one in [coordinator, *coordinator.children()] if one.is_running()
        )
    except psutil.Error:
        return 0
