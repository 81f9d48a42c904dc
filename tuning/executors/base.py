"""Where trials run: on this machine, in worker processes, or on a Ray cluster."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from keras_cnn.training.config import TrainSettings

EPOCH, ENDED = "epoch", "ended"


@dataclass(frozen=True)
class Event:
    """Something about the trial `trial_id`: an epoch with its metrics in `content`, or that it has ended.

    A trial that has ended has written metrics.json; if its worker died, `content` has `state` and `message` instead.
    """

    trial_id: str
    kind: str
    content: dict = field(default_factory=dict)


class Executor(Protocol):
    """Runs trials, several at a time; a context manager that ends whatever still runs."""

    @property
    def slots(self) -> int:
        """How many trials can run at once."""

    def __enter__(self) -> "Executor": ...

    def __exit__(self, *error) -> None: ...

    def start(self, trial_id: str, directory: Path, timeout: float) -> None:
        """Begin the trial in `directory`, or go on with it, for at most so many seconds. At most `slots` at once."""

    def stop(self, trial_id: str) -> None:
        """Let a trial end, completed, after its present epoch."""

    def wait(self, seconds: float) -> list[Event]:
        """What has happened, at the latest after `seconds`. InputError if a worker refused to work."""

    def memory(self) -> int:
        """Bytes that the workers hold together."""

    def facts(self, settings: TrainSettings, download: bool) -> dict:
        """The facts of the data of `settings`, which this process need not load. InputError if there are none."""

    def check(self, settings: TrainSettings) -> None:
        """Raise InputError if trials of these settings could not start."""

    def space(self, settings: TrainSettings) -> dict:
        """What hyperparameters a user's build(hp) declares, and the metric that ranks its trials: `space_of_build`."""

    def export(self, run: Path, destination: Path, formats: Sequence[str]) -> Path:
        """Export a run as `keras_cnn.serving.export.export_run` does; returns the version's folder."""
