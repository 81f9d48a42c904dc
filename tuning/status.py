"""How far a search is, from its files alone: while it runs, from another terminal, or after it."""

import csv
import time
from collections import Counter

from keras_cnn.training.callbacks import EPOCHS
from tuning import report
from tuning.lock import coordinator
from tuning.settings import Study


def status(study: Study) -> str:
    """Who searches, how many trials ended how, the best, and the last epoch of those that run; a line each."""
    rows, process = report.trials(study), coordinator(study.directory)
    states = Counter(row["state"] for row in rows)
    running = [row["trial"] for row in rows if row["state"] == "RUNNING"]
    if not process and running:  # as a kill leaves it
        states["INTERRUPTED"] = states.pop("RUNNING")
    counted = ", ".join(f"{count} {state}" for state, count in states.items()) or "none yet"
    lines = [
        f"{study.search.tuner} search of {', '.join(study.architectures)} on {study.base.data}: "
        + (f"process {process}" if process else f"not running; python -m tuning resume {study.directory}"),
        f"trials: {counted}",
    ]
    if rows and rows[0]["score"] is not None:
        best = rows[0]
        lines.append(
            f"best: trial {best['trial']}, {study.objective} {best['score']:.4f} in epoch {best['best_epoch']}"
        )
    return "\n".join([*lines, *(_running(study, trial) for trial in running)])


def _running(study: Study, trial: str) -> str:
    path = study.trial_directory(trial) / EPOCHS
    epochs = list(csv.DictReader(path.open())) if path.exists() else []
    if not epochs:
        return f"trial {trial}: no epoch has ended yet"
    last, age = epochs[-1], time.time() - path.stat().st_mtime
    return (
        f"trial {trial}: epoch {len(epochs)}, {study.objective} {float(last[study.objective]):.4f}, "
        f"{age:.0f} s ago"
    )
