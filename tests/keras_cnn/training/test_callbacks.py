"""The record of a run."""

import itertools

import pytest

from keras_cnn.training import callbacks
from keras_cnn.training.callbacks import Record, StartupTime, seconds_before


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A function: trains an epoch of 7 s after so many seconds in earlier sessions; returns those of all."""
    clock = itertools.count(100.0, 7.0)
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: next(clock))
    for name in ("save_weights", "save_state"):
        monkeypatch.setattr(callbacks, name, lambda *arguments: None)
    monkeypatch.setattr(callbacks, "averaged", lambda model: monkeypatch.context())

    def train(before: float) -> float:
        record = Record(tmp_path, ("val_loss",))
        record.seconds = before
        record.on_train_begin()
        record.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})
        assert record.epoch_seconds == [7.0]
        return record.seconds

    return train


def test_record_of_a_resumed_run_counts_the_seconds_of_earlier_sessions(trained, tmp_path):
    assert seconds_before(tmp_path) == 0.0
    assert trained(seconds_before(tmp_path)) == seconds_before(tmp_path) == 7.0
    assert trained(seconds_before(tmp_path)) == seconds_before(tmp_path) == 14.0


def test_damaged_record_of_seconds_counts_for_none(trained, tmp_path):
    trained(0.0)
    path = tmp_path / "seconds.json"
    path.write_text(path.read_text().replace("7.0", "9.0"))
    assert seconds_before(tmp_path) == 0.0


def test_startup_is_the_time_until_the_first_steps_of_training_and_validation(monkeypatch):
    clock = itertools.count(100.0, 7.0)
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: next(clock))
    startup = StartupTime()
    startup.on_train_begin()
    for _ in range(2):
        startup.on_train_batch_end(0)
        startup.on_train_batch_end(1)
        startup.on_test_begin()
        startup.on_test_batch_end(0)
        startup.on_test_batch_end(1)
    assert startup.seconds == 14.0
