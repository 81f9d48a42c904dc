"""Kills, failures and Ctrl-C: the study goes on."""

import csv
import os
import signal
import time

import psutil
import pytest

from keras_cnn.files import read_json


def wait_for(condition, seconds=90):
    for _ in range(seconds * 20):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def begin(tuning, folder, *arguments):
    """A search of four trials, caught in the middle of its second; returns (process, its worker)."""
    process = tuning.start(
        "search", *tuning.small, "--tuner", "random", "--trials", 4, "--epochs", 4, "--directory", "study",
        *arguments, folder=folder,
    )  # fmt: skip
    wait_for(lambda: (folder / "study/trials/1/run.json").exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    (worker,) = psutil.Process(process.pid).children()
    return process, worker


def rows(folder):
    return {row["trial"]: row for row in csv.DictReader((folder / "study/trials.csv").open())}


def finished_once(folder):
    """Every trial has completed, and what it took for the first was not taken again."""
    assert {row["state"] for row in rows(folder).values()} == {"COMPLETED"}
    assert len(rows(folder)) == 4


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_resume_after_the_coordinator_ended(tuning, tmp_path, how):
    process, worker = begin(tuning, tmp_path)
    first = (tmp_path / "study/trials/0/metrics.json").stat().st_mtime_ns
    process.send_signal(how)
    output, errors = process.communicate(timeout=30)
    psutil.wait_procs([worker], timeout=10)
    assert not worker.is_running()  # no orphan
    if how == signal.SIGINT:
        assert process.returncode == 2
        assert errors == "error: interrupted.\n"
        assert "python -m tuning resume study" in output
    resumed = tuning("resume", "study", folder=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    finished_once(tmp_path)
    assert (tmp_path / "study/trials/0/metrics.json").stat().st_mtime_ns == first
    assert (tmp_path / "saved_models/study/1/card.json").exists()


def test_a_killed_worker_costs_its_trial_only(tuning, tmp_path):
    process, worker = begin(tuning, tmp_path)
    os.kill(worker.pid, signal.SIGKILL)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    states = [row["state"] for row in rows(tmp_path).values()]
    assert sorted(states) == ["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"]
    assert "signal 9" in rows(tmp_path)["1"]["message"]
    assert "signal 9" in (tmp_path / "study/report.md").read_text()
    assert "FAILED" in output


def test_a_diverged_trial_is_not_ranked(tuning, tmp_path):
    run = tuning(
        "search", *tuning.small, "--tuner", "random", "--trials", 2, "--epochs", 1, "--directory", "study",
        "--optimizer", "sgd", "--learning_rate", "1e30", "--batch_norm", "false", folder=tmp_path,
    )  # fmt: skip
    assert run.returncode == 2
    assert "no trial of study has completed" in run.stderr
    assert read_json(tmp_path / "study/trials/0/metrics.json")["state"] == "DIVERGED"
    assert not (tmp_path / "saved_models").exists()
