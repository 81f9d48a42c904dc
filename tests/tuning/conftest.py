"""Searches over a space small enough to train in seconds, on the embedded digits."""

import json
import subprocess
from pathlib import Path

import pytest
import tensorflow as tf

from keras_cnn.records import write_record
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import METRICS
from keras_cnn.training.strategy import limit_threads
from tests.tuning_studies import SEARCH, SMALL, digits_facts
from tuning import commands
from tuning.config import StudyConfig
from tuning.executors import trial
from tuning.executors.base import ENDED, Event
from tuning.reporting.progress import Progress
from tuning.search_loop import run_search
from tuning.search_settings import SearchSettings


@pytest.fixture(scope="session")
def tuning(tuning):
    """The program, with the options that make a search of seconds as `small`."""
    tuning.small = SMALL
    return tuning


@pytest.fixture(scope="session")
def finished(tuning, made_once) -> tuple[Path, subprocess.CompletedProcess]:
    """A finished Hyperband study over two logical devices: (its directory, what the command printed)."""
    options = (
        *SMALL,
        "--tuner",
        "hyperband",
        "--epochs",
        3,
        "--workers",
        1,
        "--devices",
        2,
        "--directory",
        "study",
    )

    def make(folder: Path) -> None:
        run = tuning("search", *options, folder=folder)
        (folder / "run.json").write_text(json.dumps([run.returncode, run.stdout, run.stderr]))

    folder = made_once("finished", make)
    code, output, errors = json.loads((folder / "run.json").read_text())
    return folder / "study", subprocess.CompletedProcess(["search"], code, output, errors)


@pytest.fixture(scope="session")
def whole(tuning, made_once) -> Path:
    """The folder of a search that was never interrupted, of one worker."""

    def make(folder: Path) -> None:
        run = tuning(*SEARCH, "--workers", 1, *tuning.small, folder=folder)
        assert run.returncode == 0, run.stderr

    return made_once("whole", make)


class InThisProcess:
    """An executor that answers what a search asks before its first trial, as `test_workers` shows of workers."""

    slots = 1

    def __init__(self, machine, gpus, devices, threads):
        if threads is not None and threads < 1:
            limit_threads(threads)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def facts(self, settings, download):
        return trial.load_facts(settings, download)

    def check(self, settings):
        trial.check_settings(settings, tf.distribute.get_strategy())


@pytest.fixture
def without_workers(monkeypatch):
    """No process is started to refuse what is wrong."""
    monkeypatch.setattr(commands, "make_executor", InThisProcess)


class Instantly:
    """An executor whose trials end at once, each a tenth better than the last, after a minute by their own account."""

    def __init__(self, slots: int = 1, n_started: int = 0):
        self.slots, self.trials, self.n_started, self.stopped = slots, 0, n_started, []
        self._waiting: list[str] = []

    def start(self, trial_id: str, directory: Path, timeout: float) -> None:
        self.trials += 1
        self._waiting.append(trial_id)
        write_record(directory / METRICS, self.metrics(trial_id))

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
        facts = digits_facts()
        base = TrainSettings(epochs=epochs).resolved(facts)
        study = StudyConfig(
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
