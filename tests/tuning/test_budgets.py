"""When a search ends: trials, time, target, an exhausted space; and when a trial does."""

import errno
import math
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
import tensorflow as tf

from keras_cnn.data.sources import load
from keras_cnn.errors import DamagedFileError, InputError
from keras_cnn.quantities import to_seconds
from keras_cnn.records import read_record, write_record
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.train import Diverged
from tests.tuning_studies import ALL_BUT_TWO
from tuning import cli, commands
from tuning.config import read_study
from tuning.executors import trial
from tuning.search_settings import SearchSettings
from tuning.stopping import Clock, covered
from tuning.trial import TrialSpec
from tuning.wanted import Wanted


def test_search_ends_after_its_trials_and_resumes_with_more(searched):
    assert searched(trials=3) == (3, "all 3 trials are done")
    assert searched(trials=3)[0] == 0
    assert searched(trials=5) == (2, "all 5 trials are done")


def test_search_ends_when_its_time_is_up_over_all_sessions(searched):
    searched(trials=3)
    assert searched(time="3m") == (0, "it has run for 180 s, and 3m were given")
    assert searched(time="200s", trials=4)[0] == 1


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([], 0),
        ([(0, 10), (20, 25)], 15),
        ([(5, 15), (0, 10)], 15),  # they overlap
        ([(0, 30), (5, 10), (20, 40)], 40),  # one is within another
        ([(0, 10), (10, 20), (0, 10)], 20),
    ],
)
def test_covered_counts_the_time_of_overlapping_trials_once(spans, seconds):
    assert covered(spans) == seconds


def test_clock_of_a_study_counts_the_time_of_trials_side_by_side_once(tmp_path, searched):
    searched(trials=3)
    for name, ended in (("0000", 100.0), ("0001", 130.0), ("0002", 500.0)):
        path = tmp_path / "study/trials" / name / "metrics.json"
        write_record(path, read_record(path) | {"seconds": 60.0, "ended": ended})
    assert Clock(read_study(tmp_path / "study")).before == 90 + 60


def test_search_ends_at_its_target(searched):
    assert searched(target=0.2) == (2, "val_accuracy 0.2000 has reached the target of 0.2")
    assert searched(target=0.2)[0] == 0


def test_search_ends_when_three_trials_are_perfect(searched):
    """The scores are 0.1, 0.2, ..., so that the tenth trial is the first of 1.0."""
    trials, reason = searched(trials=50)
    assert trials == 12 and reason.startswith(
        "3 trials of 2 epochs have val_accuracy 1.0000, and none can have more"
    )


def test_search_ends_when_every_point_was_tried(searched):
    trials, reason = searched(ALL_BUT_TWO, tuner="grid", trials=50)
    assert (trials, reason) == (6, "the space holds no other point than the 6 that were tried")


def test_search_of_auto_ends_when_no_other_training_fits_the_time(searched):
    """Trials take a minute by their own account, for one epoch."""
    assert searched(tuner="auto", trials=None, time="100s") == (
        1,
        "no other training fits the 100s, 1 trials",
    )


def test_search_with_hyperband_ends_with_its_brackets(searched):
    assert searched(tuner="hyperband")[1].startswith("all brackets are done")


def test_limits_travel_with_the_study(tmp_path, searched):
    searched(trials=1, time="2h", target=0.9, trial_timeout="30m")
    search = read_study(tmp_path / "study").search
    assert (search.time, search.target, search.trial_timeout) == ("2h", 0.9, "30m")


@pytest.mark.usefixtures("without_workers")
def test_limits_can_be_changed_on_resume(tmp_path, searched, monkeypatch):
    searched(trials=1, target=0.9)
    resumed = []
    monkeypatch.setattr(commands, "_run", lambda study, *rest: resumed.append(study.search))
    assert cli.main(["resume", str(tmp_path / "study"), "--trials", "4", "--trial-timeout", "5m"]) == 0
    assert read_study(tmp_path / "study").search == resumed[0]
    assert (resumed[0].trials, resumed[0].target, resumed[0].trial_timeout) == (4, 0.9, "5m")


@pytest.mark.usefixtures("without_workers")
def test_search_on_data_that_have_changed_is_not_resumed(tmp_path, searched, capsys):
    searched(trials=1)
    study = read_study(tmp_path / "study")
    counts = {**study.facts.counts, "train": [number + 1 for number in study.facts.counts["train"]]}
    replace(study, facts=replace(study.facts, counts=counts)).write()
    assert cli.main(["resume", str(tmp_path / "study"), "--trials", "4"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: digits is not what ") and error.count("\n") == 1


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("2h", 7200), ("90m", 5400), ("1.5h", 5400), ("600", 600), ("7s", 7), (None, math.inf)],
)
def test_to_seconds_reads_units_and_refuses_others(duration, seconds):
    assert to_seconds("time", duration) == seconds


@pytest.mark.parametrize("duration", ["", "h", "2 hours", "-3m", "0s", "nan"])
def test_what_is_no_duration(duration):
    with pytest.raises(InputError, match="Write it as 2h, 90m or 600s"):
        SearchSettings(trial_timeout=duration)


@pytest.mark.parametrize("target", [0.0, -1.0, math.nan, math.inf])
def test_a_target_is_positive(target):
    with pytest.raises(InputError, match="must be more than 0"):
        SearchSettings(target=target)


@pytest.mark.parametrize("objective", [None, "val_accuracy", "val_mean_iou"])
def test_a_target_of_a_share_is_at_most_1(objective):
    base = TrainSettings(objective=objective)
    Wanted(base, SearchSettings(target=1.0), ("vgg",), {})
    with pytest.raises(InputError, match=r"target=93 must be in \(0, 1\].*0\.93 stands for 93 %"):
        Wanted(base, SearchSettings(target=93), ("vgg",), {})


def test_a_target_of_a_loss_may_be_more_than_1():
    Wanted(TrainSettings(objective="val_loss"), SearchSettings(target=1.5), ("vgg",), {})


@pytest.mark.slow
def test_run_trial_trains_with_its_repeats_and_records_their_mean(tmp_path, one_device):
    net = {"width": 2, "blocks": 1, "convolutions": 1, "dense": []}
    settings = TrainSettings(image_size=(8, 8), options=net, batch_size=256, epochs=1)
    facts = load("digits", image_size=(8, 8)).facts
    TrialSpec(settings.resolved(facts), 1, repeats=2).write(tmp_path)
    epochs = []
    metrics = trial.run_trial(tmp_path, one_device, lambda epoch, logs: epochs.append(epoch))
    assert metrics["state"] == "COMPLETED" and epochs == [1, 1]
    each = [read_record(tmp_path / f"repeat_{number}/metrics.json") for number in (1, 2)]
    assert metrics["score"] == pytest.approx(sum(one["score"] for one in each) / 2)
    assert read_record(tmp_path / "metrics.json") == metrics
    assert (tmp_path / "repeat_2/best.npz").exists() and (tmp_path / "repeat_2/run.json").exists()


FULL = "checkpoint.npz; No space left on device"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        tf.errors.ResourceExhaustedError(None, None, FULL),
        RuntimeError("Unable to synchronously create group (No space left on device)"),
        DamagedFileError(Path("../0001/checkpoint.npz"), "checksum"),
    ],
)
def test_a_full_disk_or_a_damaged_file_is_no_result_of_the_trial(error, tmp_path, one_device, monkeypatch):
    TrialSpec(TrainSettings(), 1).write(tmp_path)
    monkeypatch.setattr(trial, "_train", mock.Mock(side_effect=error))
    with pytest.raises(type(error)):
        trial.run_trial(tmp_path, one_device, lambda epoch, logs: None)
    assert not (tmp_path / "metrics.json").exists()


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (MemoryError(), "OUT_OF_MEMORY", "memory ran out"),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\nmore"),
            "OUT_OF_MEMORY",
            "OOM when allocating",
        ),
        (Diverged("the loss became nan"), "DIVERGED", "the loss became nan"),
        (NameError("x"), "FAILED", "NameError: x"),
    ],
)
def test_run_trial_that_raises_records_its_state(error, state, message, tmp_path, one_device, monkeypatch):
    TrialSpec(TrainSettings(), 1).write(tmp_path)
    monkeypatch.setattr(trial, "_train", mock.Mock(side_effect=error))
    metrics = trial.run_trial(tmp_path, one_device, lambda epoch, logs: None)
    assert (metrics["state"], metrics["message"]) == (state, message)
    assert read_record(tmp_path / "metrics.json") == metrics
