"""Worker processes: side by side, recycled, silent, dying; none outlives its coordinator."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.sources import load
from keras_cnn.errors import InputError
from keras_cnn.records import read_json
from keras_cnn.training.config import TrainSettings
from tuning.executors import process, worker
from tuning.executors.base import ENDED
from tuning.executors.local import LocalExecutor
from tuning.executors.machine import MachineSettings, each_trial
from tuning.executors.resources import WorkerResources, assign_resources
from tuning.trial import TrialSpec

SMALL = TrainSettings(
    image_size=(8, 8), options={"width": 2, "blocks": 1, "convolutions": 1, "dense": []}, batch_size=128
)
LONG = 100_000  # epochs


@pytest.fixture
def executor():
    with LocalExecutor([WorkerResources(threads=1)] * 2) as executor:
        yield executor


@pytest.fixture
def trial(tmp_path):
    """A function that writes a trial of so many epochs; returns its directory."""
    facts = load("digits", image_size=(8, 8)).facts

    def write(name: str, epochs: int):
        TrialSpec(replace(SMALL, epochs=epochs).resolved(facts), epochs).write(tmp_path / name)
        return tmp_path / name

    return write


def until(executor, kind: str, count: int = 1) -> dict:
    """The last event of that kind of so many trials, by their names."""
    events, deadline = {}, time.monotonic() + 120
    while len(events) < count and time.monotonic() < deadline:
        events |= {event.trial_id: event for event in executor.wait(1) if event.kind == kind}
    return events


def pid_of(executor, trial_id: str) -> int:
    worker, _ = executor._running[trial_id]
    while worker._process is None:  # it is begun by a thread
        time.sleep(0.01)
    return worker._process.process.pid


@pytest.mark.slow
def test_executor_runs_trials_side_by_side_and_reuses_its_workers(executor, trial):
    for name in ("a", "b"):
        executor.start(name, trial(name, 2), 100)
    pids = {pid_of(executor, "a"), pid_of(executor, "b")}
    assert len(pids) == 2
    assert all(event.content == {} for event in until(executor, ENDED, 2).values())
    assert executor.memory() > 5e8
    executor.start("c", trial("c", 2), 100)
    assert pid_of(executor, "c") in pids
    until(executor, ENDED)
    scores = [read_json(trial(name, 2) / "metrics.json")["score"] for name in "abc"]
    assert len(set(scores)) == 1  # whatever ran before in the process, or beside it


@pytest.mark.slow
def test_executor_names_late_dead_and_silent_workers(executor, trial, monkeypatch):
    executor.start("late", trial("late", LONG), 8)
    executor.start("killed", trial("killed", LONG), 100)
    time.sleep(1)
    os.kill(pid_of(executor, "killed"), signal.SIGKILL)
    (killed,) = until(executor, ENDED).values()
    assert killed.trial_id == "killed" and killed.content["state"] == "FAILED"
    assert "signal 9" in killed.content["message"]
    (late,) = until(executor, ENDED).values()
    assert late.content == {"state": "TIMED_OUT", "message": "it took longer than 8 s"}
    executor.start("silent", trial("silent", LONG), 100)
    monkeypatch.setattr(process, "SILENCE_SECONDS", 3.0)
    os.kill(pid_of(executor, "silent"), signal.SIGSTOP)
    (silent,) = until(executor, ENDED).values()
    assert silent.content["message"] == "its worker gave no sign of life for 3 s"


@pytest.mark.slow
def test_executor_stops_a_trial_after_its_present_epoch(executor, trial):
    directory = trial("a", LONG)
    executor.start("a", directory, 100)
    until(executor, "epoch")
    executor.stop("a")
    assert until(executor, ENDED)["a"].content == {}
    metrics = read_json(directory / "metrics.json")
    assert metrics["state"] == "COMPLETED" and len(metrics["history"]["loss"]) < LONG


@pytest.mark.slow
def test_executor_answers_facts_and_refuses_what_cannot_be_built(executor):
    facts = DataFacts.from_dict(executor.facts(SMALL, download=False))
    assert facts.shape == (8, 8, 1)
    with pytest.raises(InputError, match="batch"):
        executor.check(replace(SMALL.resolved(facts), batch_size=100_000))
    with pytest.raises(InputError, match="unknown data set 'digit'"):
        executor.facts(replace(SMALL, data="digit"), download=False)


@pytest.mark.slow
def test_worker_of_a_killed_coordinator_ends(tmp_path, trial):
    directory = trial("a", LONG)
    code = (
        "import sys, pathlib, time\nfrom tuning.executors.local import LocalExecutor\n"
        "from tuning.executors.resources import WorkerResources\n"
        "with LocalExecutor([WorkerResources(threads=1)]) as executor:\n"
        "    executor.start('a', pathlib.Path(sys.argv[1]), 100)\n    print(executor.wait(60), flush=True)\n"
        "    time.sleep(60)\n"
    )
    coordinator = subprocess.Popen([sys.executable, "-c", code, directory], stdout=subprocess.PIPE, text=True)
    assert "epoch" in coordinator.stdout.readline()
    workers = psutil.Process(coordinator.pid).children()
    coordinator.kill()
    coordinator.communicate()
    assert len(workers) == 1
    assert not psutil.wait_procs(workers, timeout=5)[1]


@pytest.mark.slow
def test_worker_does_not_wait_for_a_pipe_in_the_place_of_its_log(tmp_path):
    os.mkfifo(tmp_path / "log.txt")
    with pytest.raises(InputError, match=r"log\.txt must be a regular file"):
        worker._print_to(tmp_path / "log.txt")


@pytest.mark.slow
def test_worker_is_replaced_after_its_requests(monkeypatch):
    """So that its memory stays flat. Trials are requests like others."""
    monkeypatch.setattr(process, "REQUESTS_PER_WORKER", 2)
    with LocalExecutor([WorkerResources(threads=1)]) as executor:
        pids = []
        for _ in range(3):
            executor.facts(SMALL, download=False)
            pids.append(executor._idle[0]._process.process.pid)
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [2, 1]


def test_places_on_gpus(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    resources = assign_resources(None, gpus=8, devices=2, threads=None)
    assert [place.gpus for place in resources] == [("0", "1"), ("2", "3"), ("4", "5"), ("6", "7")]
    assert resources[1].environment == {"CUDA_VISIBLE_DEVICES": "2,3"}
    assert len(assign_resources(3, gpus=8, devices=2, threads=None)) == 3
    with pytest.raises(
        InputError, match="5 workers of 2 GPUs each are wanted, but this machine shows 8 GPUs"
    ):
        assign_resources(5, gpus=8, devices=2, threads=None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-7a")
    assert [place.gpus for place in assign_resources(None, gpus=2, devices=1, threads=None)] == [
        ("3",),
        ("GPU-7a",),
    ]


def test_places_on_processors(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(8))
    monkeypatch.setattr("tuning.executors.resources.free_memory", lambda: 64e9)
    assert assign_resources(None, 0, None, 1) == [WorkerResources((), None, 1)] * 8
    assert len(assign_resources(None, 0, None, 4)) == 2
    assert len(assign_resources(5, 0, None, 4)) == 5  # the user knows better
    monkeypatch.setattr("tuning.executors.resources.free_memory", lambda: 5e9)
    assert len(assign_resources(None, 0, None, 1)) == 2
    assert WorkerResources().environment == {}


def test_threads_and_devices_of_each_trial(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert each_trial(MachineSettings(), 0, None, None, "random") == (None, 1)
    assert each_trial(MachineSettings(), 0, None, None, "auto") == (None, 4)
    assert each_trial(MachineSettings(workers=2), 0, None, None, "random") == (None, 4)
    assert each_trial(MachineSettings(workers=2), 0, 2, 1, "auto") == (2, 1)
    assert each_trial(MachineSettings(gpus_per_trial=4), 8, None, None, "auto") == (4, None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"workers": 0}, "workers=0 must be auto or at least 1"),
        ({"workers": "many"}, "workers=many must be auto or at least 1"),
        ({"gpus_per_trial": 0}, "gpus_per_trial=0 must be at least 1"),
        ({"executor": "slurm"}, "unknown executor 'slurm'. There is: local, ray"),
        ({"address": "auto"}, "give --executor ray with it"),
    ],
)
def test_machine_settings_out_of_range_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        MachineSettings(**wrong)


def test_one_worker_starts_before_it_is_asked(monkeypatch):
    started = []

    class Started:
        requests_made, memory = 0, 0

        def __init__(self, *machine):
            started.append(machine)

        def request(self, content):
            yield {"event": "done", "facts": content}

        def end(self):
            return 0

    monkeypatch.setattr(process, "Process", Started)
    with LocalExecutor([WorkerResources(threads=1)] * 2) as executor:
        assert started == [(None, 1, {})]
        executor.facts(SMALL, download=False)
        assert len(started) == 1
