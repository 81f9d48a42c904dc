"""A run directory: settings and data (run.json), results (metrics.json, test.json), weights.

A trial of a search is such a directory too, so whatever works on a run works on a trial.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from keras_cnn.data.dataset import DataFacts
from keras_cnn.errors import InputError
from keras_cnn.files import read_json, read_versioned, write_versioned
from keras_cnn.provenance import provenance
from keras_cnn.training.config import TrainSettings

RUN = "run.json"
METRICS = "metrics.json"
TEST = "test.json"
BEST = "best.json"  # of a study: which of its trials is the best, and its hyperparameters


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

    def write(self) -> None:
        """Create the directory and its run.json, which also has versions, machine and git commit."""
        self.directory.mkdir(parents=True, exist_ok=True)
        record = {
            "settings": self.settings.to_dict(),
            "facts": self.facts.to_dict(),
            "logs": self.logs,
            "replicas": self.replicas,
            "provenance": provenance(),
        }
        write_versioned(self.directory / RUN, record)


def chosen_run(directory: Path) -> Path:
    """`directory`, or, if it is a study that has ended, the directory of its best trial."""
    if (directory / BEST).exists() and not (directory / RUN).exists():
        return directory / read_json(directory / BEST)["run"]
    return directory


def read_run(directory: Path) -> Run:
    """The run in `directory`; InputError if there is none."""
    if not (directory / RUN).exists():
        raise InputError(f"{directory} is not a run: it holds no {RUN}. Make one with keras-cnn train.")
    content = read_versioned(directory / RUN)
    settings, facts = TrainSettings.from_dict(content["settings"]), DataFacts.from_dict(content["facts"])
    return Run(directory, settings, facts, content["logs"], content["replicas"])
