"""Searches over a space small enough to train in seconds, on the embedded digits."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.crash import small_space
from keras_cnn.data.sources import load
from keras_cnn.files import write_json
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import METRICS
from tests.tuning_studies import SEARCH
from tuning.config import SearchSettings, Study
from tuning.executors.base import ENDED, Event
from tuning.reporting.progress import Progress
from tuning.search import run_search

SMALL = small_space(width=2, batch_size=128)  # a net of a few hundred weights


@pytest.fixture(scope="session")
def tuning(tuning):
    """The program, with the options that make a search of seconds as `small`."""
    tuning.small = SMALL
    return tuning


@pytest.fixture(scope="session")
def finished(tuning, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """A finished Hyperband study over two logical devices: (its directory, what the command said)."""
    folder = tmp_path_factory.mktemp("search")
    run = tuning("search", *SMALL, "--epochs", 3, "--devices", 2, "--directory", "study", folder=folder)
    return folder / "study", run


@pytest.fixture(scope="session")
def whole(tuning, tmp_path_factory) -> Path:
    """The folder of a search that was never interrupted, of one worker."""
    folder = tmp_path_factory.mktemp("whole")
    run = tuning(*SEARCH, "--workers", 1, *tuning.small, folder=folder)
    assert run.returncode == 0, run.stderr
    return folder


class Instantly:
    """An executor whose trials end at once, each a tenth better than the last, after a minute by their own account."""

    def __init__(self, slots: int = 1, n_started: int = 0):
        self.slots, self.trials, self.n_started, self.stopped = slots, 0, n_started, []
        self._waiting: list[str] = []

    def start(self, trial_id: str, directory: Path, timeout: float) -> None:
        self.trials += 1
        self._waiting.append(trial_id)
        write_json(directory / METRICS, self.metrics(trial_id))

    def metrics(self, trial_id: str) -> dict:
        number = self.n_started + self.trials
        score = {"score": number / 10, "best_epoch": 1, "parameters": 1, "loss": 1.0}
        return {"state": "COMPLETED", **score, "seconds": 60.0, "ended": 60.0 * number}

    def stop(self, trial_id: str) -> None:
        self.stopped.append(trial_id)

    def wait(self, seconds: float) -> list[Event]:
        events = [Event(trial_id, ENDED) for trial_id in reversed(self._waiting)]
        self._waiting = []
        return events

    def memory(self) -> int:
        return 0


@pytest.fixture
def searched(tmp_path):
    """A function: searches the directory with these limits, returns how many trials ran and why it ended."""
    n_started = 0

    def run(fixed_hyperparameters: dict | None = None, epochs: int = 2, **search) -> tuple[int, str]:
        nonlocal n_started
        facts = load("digits").facts
        base = TrainSettings(epochs=epochs).resolved(facts)
        study = Study(
            tmp_path / "study",
            SearchSettings(**{"tuner": "random", **search}),
            base,
            fixed_hyperparameters or {},
            facts,
        )
        study.write()
        executor, told = Instantly(n_started=n_started), []
        run_search(study, executor, Progress(told.append))
        n_started += executor.trials
        return executor.trials, told[-1].removeprefix("the search has ended: ")

    return run
