"""Kills, failures and Ctrl-C: the study goes on."""

import os
import shutil
import signal
import time

import psutil
import pytest

from keras_cnn.records import read_json
from tests.tuning.conftest import Instantly
from tests.tuning_studies import SEARCH, assert_gone_on
from tuning.config import read_study
from tuning.oracles.make import make_oracle
from tuning.reporting.progress import Progress
from tuning.reporting.report import write_report
from tuning.search_loop import run_search
from tuning.storage.recovery import repair_damaged_files


def wait_for(condition, seconds=90):
    for _ in range(seconds * 20):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def begin(tuning, folder):
    """A search of three trials, caught in the middle of its second; returns (process, its worker)."""
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


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_search_whose_coordinator_ended_is_resumed(tuning, whole, tmp_path, how):
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
        study = read_study(tmp_path / "study")
        assert repair_damaged_files(study) == []  # as after SIGKILL, from where the other case goes on
        assert [t.status for t in make_oracle(study).trials.values()] == ["COMPLETED", "RUNNING"]
        return
    resumed = tuning("resume", "study", "--workers", 2, folder=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert "2 trials at once" in resumed.stdout
    assert (tmp_path / "study/trials/0000/metrics.json").stat().st_mtime_ns == first
    assert (tmp_path / "saved_models/study/1/card.json").exists()
    assert_gone_on(tmp_path, whole)


@pytest.mark.slow
def test_trial_that_ended_before_the_oracle_knew_is_not_run_again(whole, tmp_path):
    """The kill fell after the worker wrote metrics.json."""
    shutil.copytree(whole / "study", tmp_path / "study")
    state = tmp_path / "study/keras_tuner/trial_0002/trial.json"
    state.write_text(state.read_text().replace('"COMPLETED"', '"RUNNING"'))
    metrics = tmp_path / "study/trials/0002/metrics.json"
    before, executor = metrics.stat().st_mtime_ns, Instantly()
    study = read_study(tmp_path / "study")
    run_search(study, executor, Progress(print, objective=study.objective))
    assert executor.trials == 0 and metrics.stat().st_mtime_ns == before
    write_report(study)
    assert_gone_on(tmp_path, whole)


@pytest.mark.slow
def test_search_whose_worker_is_killed_continues_the_trial(tuning, whole, tmp_path):
    process, worker = begin(tuning, tmp_path)
    os.kill(worker.pid, signal.SIGKILL)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "trial 0001: the worker process ended with signal 9" in output
    assert_gone_on(tmp_path, whole)


@pytest.mark.slow
def test_search_of_diverged_trials_ranks_and_exports_none(tuning, tmp_path):
    limits = ["--tuner", "random", "--trials", 1, "--epochs", 1, "--workers", 1, "--directory", "study"]
    hopeless = ["--optimizer", "sgd", "--learning_rate", "1e30", "--batch_norm", "false"]
    run = tuning("search", *tuning.small, *limits, *hopeless, folder=tmp_path)
    assert run.returncode == 2
    assert "no trial of study has completed" in run.stderr
    assert read_json(tmp_path / "study/trials/0000/metrics.json")["state"] == "DIVERGED"
    assert not (tmp_path / "saved_models").exists()


@pytest.mark.slow
def test_search_of_auto_that_was_killed_and_resumed_equals_an_uninterrupted_one(tuning, tmp_path):
    search = ["search", "--trials", 6, "--epochs", 3, "--directory", "study", "--threads", 1, "--workers", 1]
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    assert tuning(*search, *tuning.small, folder=tmp_path / "whole").returncode == 0
    process = tuning.start(*search, *tuning.small, folder=tmp_path / "killed")
    checkpoint = tmp_path / "killed/study/trials/0003/checkpoint.npz"
    wait_for(lambda: checkpoint.exists() or process.poll() is not None)
    process.kill()
    process.communicate(timeout=30)
    resumed = tuning("resume", "study", folder=tmp_path / "killed")
    assert resumed.returncode == 0, resumed.stderr
    assert_gone_on(tmp_path / "killed", tmp_path / "whole")
