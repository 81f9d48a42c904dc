"""Kills, failures and Ctrl-C: the study goes on."""

import os
import shutil
import signal
import time

import psutil
import pytest

from keras_cnn.files import read_json
from tests.tuning_studies import SEARCH, assert_gone_on, rows


def wait_for(condition, seconds=90):
    for _ in range(seconds * 20):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def begin(tuning, folder):
    """A search of four trials, caught in the middle of its second; returns (process, its worker)."""
    process = tuning.start(*SEARCH, "--workers", 1, *tuning.small, folder=folder)
    checkpoint = folder / "study/trials/0001/checkpoint.npz"
    wait_for(lambda: checkpoint.exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    memory = psutil.Process(
        process.pid
    ).memory_info()  # what is mapped from files, the libraries, differs by machine
    assert memory.rss - memory.shared < 400 * 2**20  # it holds no data and builds no net
    (worker,) = psutil.Process(process.pid).children()
    return process, worker


@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_resume_after_the_coordinator_ended(tuning, whole, tmp_path, how):
    process, worker = begin(tuning, tmp_path)
    first = (tmp_path / "study/trials/0000/metrics.json").stat().st_mtime_ns
    process.send_signal(how)
    output, errors = process.communicate(timeout=30)
    psutil.wait_procs([worker], timeout=10)
    assert not worker.is_running()  # no orphan
    if how == signal.SIGINT:
        assert process.returncode == 2
        assert errors == "error: interrupted.\n"
        assert "keras-cnn resume study" in output
    resumed = tuning("resume", "study", "--workers", 2, folder=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert "2 trials at once" in resumed.stdout
    assert (tmp_path / "study/trials/0000/metrics.json").stat().st_mtime_ns == first
    assert (tmp_path / "saved_models/study/1/card.json").exists()
    assert_gone_on(tmp_path, whole)


@pytest.mark.slow
def test_a_trial_that_ended_untold_is_not_run_again(tuning, whole, tmp_path):
    """The kill fell after the worker wrote metrics.json and before the oracle knew."""
    shutil.copytree(whole / "study", tmp_path / "study")
    told = tmp_path / "study/keras_tuner/trial_0003/trial.json"
    told.write_text(told.read_text().replace('"COMPLETED"', '"RUNNING"'))
    metrics = tmp_path / "study/trials/0003/metrics.json"
    before = metrics.stat().st_mtime_ns
    resumed = tuning("resume", "study", folder=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert metrics.stat().st_mtime_ns == before
    assert_gone_on(tmp_path, whole)


@pytest.mark.slow
def test_a_killed_worker_costs_an_attempt_only(tuning, whole, tmp_path):
    process, worker = begin(tuning, tmp_path)
    os.kill(worker.pid, signal.SIGKILL)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "trial 0001: the worker process ended with signal 9" in output
    assert_gone_on(tmp_path, whole)


@pytest.mark.slow
def test_a_trial_that_kills_every_worker_fails_alone(tuning, tmp_path):
    process, worker = begin(tuning, tmp_path)
    for _ in range(2):
        os.kill(worker.pid, signal.SIGKILL)
        before = worker
        (worker,) = wait_for(lambda: set(psutil.Process(process.pid).children()) - {before})  # noqa: B023
    os.kill(worker.pid, signal.SIGKILL)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    (failed,) = [row for row in rows(tmp_path).values() if row["state"] == "FAILED"]
    assert "signal 9" in failed["message"]
    assert sum(row["state"] == "COMPLETED" for row in rows(tmp_path).values()) == 3
    assert "signal 9" in (tmp_path / "study/report.md").read_text()
    assert "FAILED" in output


def test_a_diverged_trial_is_not_ranked(tuning, tmp_path):
    run = tuning(
        "search", *tuning.small, "--tuner", "random", "--trials", 2, "--epochs", 1, "--directory", "study",
        "--optimizer", "sgd", "--learning_rate", "1e30", "--batch_norm", "false", folder=tmp_path,
    )  # fmt: skip
    assert run.returncode == 2
    assert "no trial of study has completed" in run.stderr
    assert read_json(tmp_path / "study/trials/0000/metrics.json")["state"] == "DIVERGED"
    assert not (tmp_path / "saved_models").exists()
