"""When a search ends: trials, time, target, an exhausted space; and when a trial does."""

import csv
import math
from unittest import mock

import pytest
import tensorflow as tf

from keras_cnn.errors import InputError
from keras_cnn.training.config import TrainSettings
from tests.tuning_studies import ALL_BUT_TWO
from tuning import cli, commands
from tuning.config import SearchSettings, TrialSpec, read_study
from tuning.executors import trial
from tuning.quantities import to_seconds


def test_it_ends_after_so_many_trials_and_goes_on_with_more(searched):
    assert searched(trials=3) == (3, "all 3 trials are done")
    assert searched(trials=3)[0] == 0
    assert searched(trials=5) == (2, "all 5 trials are done")


def test_it_ends_when_time_is_up_also_over_interruptions(searched):
    searched(trials=3)
    assert searched(time="3m") == (0, "it has run for 180 s, and 3m were given")
    assert searched(time="200s", trials=4)[0] == 1


def test_it_ends_at_the_target(searched):
    assert searched(target=0.2) == (2, "val_accuracy 0.2000 has reached the target of 0.2")
    assert searched(target=0.2)[0] == 0


def test_it_ends_when_every_point_was_tried(searched):
    trials, reason = searched(ALL_BUT_TWO, tuner="grid", trials=50)
    assert (trials, reason) == (6, "the space holds no other point than the 6 that were tried")


def test_hyperband_ends_with_its_brackets(searched):
    assert searched(tuner="hyperband")[1].startswith("all brackets are done")


def test_limits_travel_with_the_study(tmp_path, searched):
    searched(trials=1, time="2h", target=0.9, trial_timeout="30m")
    search = read_study(tmp_path / "study").search
    assert (search.time, search.target, search.trial_timeout) == ("2h", 0.9, "30m")


def test_limits_can_be_changed_on_resume(tmp_path, searched, monkeypatch):
    searched(trials=1, target=0.9)
    resumed = []
    monkeypatch.setattr(commands, "_run", lambda study, executor: resumed.append(study.search))
    assert cli.main(["resume", str(tmp_path / "study"), "--trials", "4", "--trial-timeout", "5m"]) == 0
    assert read_study(tmp_path / "study").search == resumed[0]
    assert (resumed[0].trials, resumed[0].target, resumed[0].trial_timeout) == (4, 0.9, "5m")


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("2h", 7200), ("90m", 5400), ("1.5h", 5400), ("600", 600), ("7s", 7), (None, math.inf)],
)
def test_durations(duration, seconds):
    assert to_seconds("time", duration) == seconds


@pytest.mark.parametrize("duration", ["", "h", "2 hours", "-3m", "0s", "nan"])
def test_what_is_no_duration(duration):
    with pytest.raises(InputError, match="Write it as 2h, 90m or 600s"):
        SearchSettings(trial_timeout=duration)


@pytest.mark.parametrize("target", [0.0, 1.5, 93.0])
def test_a_target_is_a_score(target):
    with pytest.raises(InputError, match=r"must be in \(0, 1\]"):
        SearchSettings(target=target)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "memory ran out"),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\nmore"), "OOM when allocating"),
    ],
)
def test_a_trial_without_memory_is_told_apart(error, message, tmp_path, one_device, monkeypatch):
    TrialSpec(TrainSettings(), 1).write(tmp_path)
    monkeypatch.setattr(trial, "_train", mock.Mock(side_effect=error))
    metrics = trial.run_trial(tmp_path, one_device, lambda epoch, logs: None)
    assert (metrics["state"], metrics["message"]) == ("OUT_OF_MEMORY", message)


@pytest.mark.slow
def test_a_trial_that_takes_too_long_is_ended_and_the_search_goes_on(tuning, tmp_path):
    limits = [
        "--tuner",
        "random",
        "--trials",
        2,
        "--epochs",
        3000,
        "--trial-timeout",
        "8s",
        "--directory",
        "study",
    ]
    run = tuning("search", *limits, *tuning.small, folder=tmp_path)
    assert run.returncode == 2 and "no trial of study has completed; 2 were started" in run.stderr, run.stderr
    assert run.stdout.count("TIMED_OUT: it took longer than 8 s") == 2
    report = tuning("report", "study", folder=tmp_path)
    assert report.returncode == 0, report.stderr
    rows = list(csv.DictReader((tmp_path / "study" / "trials.csv").open()))
    assert [row["state"] for row in rows] == ["TIMED_OUT"] * 2
