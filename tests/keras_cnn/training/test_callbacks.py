"""The record of a run."""

import itertools
from types import SimpleNamespace

import keras
import pytest

from keras_cnn.training import callbacks
from keras_cnn.training.callbacks import Record, StartupTime, seconds_before
from keras_cnn.training.epoch_costs import epoch_cost, read_costs


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
        record.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.25)))
        record.on_train_begin()
        record.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})
        return record.seconds

    return train


def test_record_of_a_resumed_run_counts_the_seconds_of_earlier_sessions(trained, tmp_path):
    assert seconds_before(tmp_path) == 0.0 and read_costs(tmp_path) == []
    assert trained(seconds_before(tmp_path)) == seconds_before(tmp_path) == 7.0
    assert trained(seconds_before(tmp_path)) == seconds_before(tmp_path) == 14.0


def test_damaged_record_of_seconds_counts_for_none(trained, tmp_path):
    trained(0.0)
    path = tmp_path / "seconds.json"
    path.write_text(path.read_text().replace("7.0", "9.0"))
    assert seconds_before(tmp_path) == 0.0 and read_costs(tmp_path) == []


def test_record_keeps_time_rate_and_memory_of_each_epoch(trained, tmp_path):
    trained(2.0)
    (cost,) = read_costs(tmp_path)
    assert (cost["epoch"], cost["seconds"], cost["learning_rate"], cost["gpu_memory"]) == (1, 7.0, 0.25, None)
    assert 10**7 < cost["memory"] < 10**11


@pytest.mark.parametrize("scheduled", [True, False])
def test_epoch_cost_on_two_devices_has_the_learning_rate(two_devices, scheduled):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.1)
    with two_devices.scope():
        model = SimpleNamespace(optimizer=keras.optimizers.SGD(schedule if scheduled else 0.5))
    assert epoch_cost(model, 1, 2.0)["learning_rate"] == 0.5


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
