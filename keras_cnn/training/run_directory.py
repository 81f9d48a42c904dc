"""A run directory: settings and data (run.json), results (metrics.json, test.json), weights.

A trial of a search is such a directory too, so whatever works on a run works on a trial.
"""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from keras_cnn.data.dataset import DataFacts, ImageData
from keras_cnn.data.folds import fold_of
from keras_cnn.errors import InputError
from keras_cnn.provenance import sessions
from keras_cnn.records import read_or_copy, read_record, understood, write_record
from keras_cnn.task import score_of
from keras_cnn.training.config import TrainSettings

RUN = "run.json"
RUN_COPY = "run.copy.json"  # read if a disk has damaged the other
METRICS = "metrics.json"
TEST = "test.json"
BEST_WEIGHTS = "best.npz"  # those of the best epoch
INITIAL = "initial.keras"  # a model of the user's own, as it was given
LATENCY = "latency.json"  # of a trial's model, where it was measured
SECONDS = "seconds.json"  # of training, all sessions together
CHECKPOINT = "checkpoint.npz"  # the whole state after the last epoch
BEST = "best.json"  # of a study: which of its trials is the best, and its hyperparameters
TRIAL = "trial.json"  # of a trial of a search, which is a run too
COMPLETED = "COMPLETED"  # the state of a run that has trained all its epochs


@dataclass(frozen=True)
class Run:
    """The settings and data facts of the run in `directory`.

    logs: TensorBoard's folder, relative to the directory. replicas: devices it is trained on.
    """

    directory: Path
    settings: TrainSettings
    facts: DataFacts
    logs: str = "logs"
    replicas: int = 1

    @property
    def log_directory(self) -> Path:
        return Path(os.path.normpath(self.directory / self.logs))

    def checked(self, data: ImageData) -> ImageData:
        """`data`, loaded again and cut as this run has them; InputError if it was trained on others."""
        data = fold_of(data, self.facts.fold)
        self.facts.check_same(data.facts, self.directory)
        return data

    def write(self) -> None:
        """Create the directory and its run.json, which also has versions, machine and git commit."""
        self.directory.mkdir(parents=True, exist_ok=True)
        record = {
            "settings": self.settings.to_dict(),
            "facts": self.facts.to_dict(),
            "logs": self.logs,
            "replicas": self.replicas,
            **sessions(self.directory / RUN, self.directory / RUN_COPY),
        }
        for name in (RUN_COPY, RUN):
            write_record(self.directory / name, record)


def chosen_run(directory: Path) -> Path:
    """`directory`, or, if it is a study that has ended, the directory of its best trial."""
    if (directory / BEST).exists() and not (directory / RUN).exists():
        with understood(directory / BEST):
            return directory / read_record(directory / BEST)["run"]
    return directory


def read_run(directory: Path) -> Run:
    """The run in `directory`, from the copy of its run.json if that is damaged.

    Raises:
        InputError: if there is none, or both are damaged.
    """
    if not (directory / RUN).exists() and not (directory / RUN_COPY).exists():
        what = f"is not a run: it holds no {RUN}" if directory.exists() else "does not exist"
        raise InputError(f"{directory} {what}. keras-cnn train makes a run, and prints its directory.")
    return read_or_copy(parse_run, directory / RUN, directory / RUN_COPY)


def parse_run(path: Path) -> Run:
    """The run that the file `path`, run.json or its copy, describes; InputError if it is damaged."""
    content = read_record(path)
    with understood(path):
        settings, facts = TrainSettings.from_dict(content["settings"]), DataFacts.from_dict(content["facts"])
        return Run(path.parent, settings, facts, content["logs"], content["replicas"])


def read_metrics(directory: Path) -> dict:
    """The content of metrics.json in `directory`: `state`, of a completed run `score`, `loss`, `best_epoch`, ...

    Raises:
        InputError: if it is missing or damaged.
    """
    metrics = read_record(directory / METRICS)
    with understood(directory / METRICS):
        if metrics["state"] == COMPLETED:
            _require_numbers(metrics, "score", "loss", "best_epoch", "seconds", "parameters")
        return metrics


def read_finished(directory: Path) -> dict:
    """`read_metrics` of a run that has ended with a model; InputError for any other."""
    if not (directory / METRICS).exists():
        raise InputError(
            f"{directory} has not finished: it holds no {METRICS}. Continue with keras-cnn train --resume "
            f"{shlex.quote(str(directory))}, or keras-cnn resume of its study."
        )
    metrics = read_metrics(directory)
    if metrics["state"] != COMPLETED:
        raise InputError(f"{directory} has no model to export: it ended as {metrics['state']}.")
    return metrics


def read_test(directory: Path) -> dict:
    """The content of test.json in `directory`, as `measure_on_test` wrote it.

    Raises:
        InputError: if it is missing or damaged.
    """
    test = read_record(directory / TEST)
    with understood(directory / TEST):
        score = score_of(test)
        _require_numbers(test, score, "images")
        _require_numbers(test[f"{score}_interval"], 0, 1)
        return test


def _require_numbers(values, *names: str | int) -> None:
    for name in names:
        if not isinstance(values[name], int | float):
            raise TypeError(f"{name} is no number")
