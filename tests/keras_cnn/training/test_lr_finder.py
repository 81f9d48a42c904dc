"""The range test finds where a net trains, and leaves no trace in it."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.errors import InputError
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.lr_finder import find_learning_rate, range_test, smooth, suggest
from keras_cnn.training.lr_run import find_run

SETTINGS = TrainSettings(
    options={"blocks": 1, "convolutions": 1, "width": 4, "dense": [8]},
    batch_size=16,
    precision="float32",
    dropout=0.2,
    augmentation="flip",
)


@pytest.mark.parametrize("devices", ["one_device", pytest.param("two_devices", marks=pytest.mark.slow)])
def test_find_learning_rate_restores_the_model(devices, request):
    strategy = request.getfixturevalue(devices)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(320, 6)).astype(np.float32), random.normal(size=(320, 1)).astype(np.float32)
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(16, drop_remainder=True)
    with strategy.scope():
        layers = [keras.layers.Dense(8), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
        model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(1)])
        model.compile("adam", "mse")
    model.fit(batches, verbose=0, shuffle=False)
    before = [keras.ops.convert_to_numpy(v) for v in (*model.variables, *model.optimizer.variables)]
    found = find_learning_rate(
        model, batches, keras.optimizers.SGD, keras.losses.mean_squared_error, low=1e-4, high=1e3, steps=20
    )
    for variable, value in zip((*model.variables, *model.optimizer.variables), before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)
    assert found.rates[0] == 1e-4 and np.all(np.diff(found.rates) > 0)
    assert len(found.losses) == len(found.smoothed) == len(found.rates)


def test_find_learning_rate_ends_where_the_loss_is_hopeless():
    """For f(w) = w^2 / 2 plain gradient descent diverges above a rate of 2."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.ones((1, 1), np.float32)])
    ones = tf.data.Dataset.from_tensors((np.ones((1, 1)), np.zeros((1, 1)))).repeat()

    def half_square(y_true, y_pred):
        return 0.5 * keras.ops.square(y_pred[:, 0] - y_true[:, 0])

    found = find_learning_rate(model, ones, keras.optimizers.SGD, half_square, low=1e-3, high=1e3, steps=60)
    assert found.losses[0] == pytest.approx(0.5)
    assert 2 < found.rates[-1] < 1000
    assert found.suggested and 0.02 < found.suggested < 2


def test_fewer_steps_are_made_where_they_would_take_longer(monkeypatch):
    """Of a step of a second 210 do not fit into 60 s: 60 do, which rise to the same rate."""
    clock = iter(range(10_000))
    monkeypatch.setattr("keras_cnn.training.lr_finder.perf_counter", lambda: float(next(clock)))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    ones = tf.data.Dataset.from_tensors((np.ones((1, 1)), np.zeros((1, 1)))).repeat()
    for seconds, steps in ((60, 60), (1, 42), (1000, 210)):
        found = find_learning_rate(
            model,
            ones,
            keras.optimizers.SGD,
            keras.losses.mean_squared_error,
            high=1e-2,
            seconds=seconds,
        )
        assert len(found.rates) == steps and found.rates[-1] == pytest.approx(1e-2)
        assert np.all(np.diff(found.rates) > 0)


def test_the_smoothed_loss_of_a_line_is_the_line():
    line = np.linspace(5, 1, 200)
    np.testing.assert_allclose(smooth(line.tolist())[40:-40], line[40:-40], atol=1e-2)


def test_no_rate_is_suggested_where_the_loss_never_fell():
    rates = [10.0**exponent for exponent in range(-5, 1)]
    assert suggest(rates, [2.3, 2.3, 2.31, 2.4, 3.0, 9.0]) is None


def test_suggested_rate_is_the_largest_of_a_flat_lowest_loss():
    rates = [10.0**exponent for exponent in range(-6, 1)]
    assert suggest(rates, [2.3, 1.8, 0.52, 0.5, 0.51, 1.5, 9.0]) == rates[4]


@pytest.mark.parametrize("limits", [{"low": 0.0}, {"low": 2.0, "high": 1.0}, {"steps": 9}])
def test_lr_finder_limits_are_checked(limits):
    with pytest.raises(ValueError, match="are needed"):
        find_learning_rate(None, None, None, None, **limits)


@pytest.mark.slow
def test_range_test_suggests_a_rate_at_which_the_loss_falls(data, one_device):
    found = range_test(replace(SETTINGS, dropout=0.0), data, one_device, steps=120)
    assert found.suggested and 1e-4 < found.suggested < 1
    assert min(found.smoothed) < 0.9 * found.smoothed[0]


@pytest.mark.slow
def test_find_run_writes_numbers_a_plot_and_logs(tmp_path, two_devices):
    settings = replace(SETTINGS, data="digits")
    found, directory = find_run(settings, tmp_path / "lr", devices=2, steps=30)
    assert directory == tmp_path / "lr"
    record = json.loads((tmp_path / "lr" / "lr_find.json").read_text())
    assert record["suggested"] == found.suggested and len(record["losses"]) == len(found.losses)
    assert (tmp_path / "lr" / "lr_find.png").read_bytes().startswith(b"\x89PNG")
    events = list((tmp_path / "lr" / "logs").glob("events.*"))
    tags = {
        v.tag
        for path in events
        for e in tf.compat.v1.train.summary_iterator(str(path))
        for v in e.summary.value
    }
    assert {"lr_find", "lr_find/losses", "lr_find/rates"} <= tags
    with pytest.raises(InputError, match="already contains"):
        find_run(settings, tmp_path / "lr", devices=2, steps=30)
    with pytest.raises(InputError, match="at least 10"):
        find_run(settings, tmp_path / "other", devices=2, steps=3)
