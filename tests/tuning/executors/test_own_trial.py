"""A user's build(hp) in a worker, without the worker."""

import json

import keras
import pytest
import tensorflow as tf

from keras_cnn.data.sources import load
from keras_cnn.errors import InputError
from keras_cnn.records import read_record
from keras_cnn.training.config import TrainSettings
from tests.tuning import own_search
from tuning.executors import inputs, latency, trial
from tuning.executors.model_limits import multiply_adds
from tuning.executors.own_trial import space_of_build
from tuning.trial import TrialSpec

NAMED = "tests.tuning.own_search:{}".format
DATA = load(own_search.images())
ONE_DEVICE = tf.distribute.get_strategy()


class Killed(BaseException):
    """No trial takes it for its own failure."""


def found(name: str, **settings) -> dict:
    return space_of_build(TrainSettings(architecture=NAMED(name), **settings), DATA, ONE_DEVICE)


def test_space_holds_what_conditions_hide_and_the_objective_is_a_metric_of_the_model():
    space = found("scoped")
    names = [entry["config"]["name"] for entry in space["space"]["space"]]
    assert names == ["kind", "units"] and space["objective"] == "val_loss"
    assert found("build")["objective"] == found("uncompiled")["objective"] == "val_accuracy"
    assert found("uncompiled", objective="val_loss")["objective"] == "val_loss"
    assert set(found("build")["metrics"]) == {"val_loss", "val_accuracy"}


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "failing",
            {},
            "own_search:failing fails with its default hyperparameters: RuntimeError: no width 2",
        ),
        ("for_other_images", {}, r"the model takes images \(5, 5, 1\), the data have \(4, 4, 1\)"),
        ("not_a_build", {}, r"takes \(input_shape, classes\)"),
        ("missing", {}, "cannot be imported"),
        ("build", {"objective": "val_accuracyy"}, "Did you mean 'val_accuracy'"),
        ("build", {"optimizer": "adam"}, "optimizer='adam' has no effect on this model, which is compiled"),
        ("uncompiled", {"dropout": 0.5}, "dropout=0.5 has no effect on this model"),
    ],
)
def test_build_that_cannot_be_searched_is_refused_in_one_line(name, settings, message):
    with pytest.raises(InputError, match=message) as caught:
        found(name, **settings)
    assert "\n" not in str(caught.value)


@pytest.fixture
def in_memory(monkeypatch):
    monkeypatch.setattr(inputs, "_current", inputs.Inputs(own_search.build, DATA))


def make_trial(directory, hyperparameters: dict, **limits) -> None:
    base = TrainSettings(data="arrays", architecture="own model build", epochs=3, batch_size=32, seed=4)
    spec = TrialSpec(base.resolved(DATA.facts), 3, hyperparameters=hyperparameters, **limits)
    TrialSpec(**{**vars(spec), "takes_hyperparameters": True}).write(directory)


def run(directory, report=lambda epoch, logs: None) -> dict:
    return trial.run_trial(directory, ONE_DEVICE, report)


@pytest.mark.slow
@pytest.mark.usefixtures("in_memory")
def test_trial_killed_after_an_epoch_ends_as_one_never_killed(tmp_path):
    def kill(epoch, logs):
        raise Killed

    for name in ("whole", "killed"):
        make_trial(tmp_path / name, {"units": 4, "deep": True})
    whole = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", kill)
    (tmp_path / "killed/initial.keras").write_bytes(b"torn")
    killed = run(tmp_path / "killed")
    assert killed["history"] == whole["history"] and len(whole["history"]["loss"]) == 3
    assert killed["hyperparameters"] == {"units": 4, "deep": True, "second": 2}
    new = [entry["config"]["name"] for entry in killed["new_entries"]["space"]]
    assert new == ["second"]


@pytest.mark.usefixtures("in_memory")
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_parameters": 1153}, "1,218 parameters are more than max_parameters=1,153"),
        ({"max_macs": 1151}, "1,152 multiply-adds are more than max_macs=1,151"),
        ({"max_parameters": 1218, "max_macs": 1152}, None),
    ],
)
def test_model_over_a_limit_is_not_trained(limits, message, tmp_path):
    make_trial(tmp_path, {"units": 64, "deep": False}, **limits)
    metrics = run(tmp_path)
    assert metrics["state"] == ("TOO_LARGE" if message else "COMPLETED")
    assert metrics.get("message") == message and read_record(tmp_path / "metrics.json")["state"]
    assert (tmp_path / "epochs.csv").exists() == (message is None)
    assert json.loads((tmp_path / "run.json").read_text())["settings"]["architecture"] == "own model build"


@pytest.mark.usefixtures("in_memory")
def test_trial_of_several_objectives_records_their_values(tmp_path):
    names = ("parameters", "macs", "seconds", "val_loss")
    make_trial(tmp_path, {"units": 64, "deep": False}, objectives=names)
    metrics = run(tmp_path)
    best = metrics["best_epoch"] - 1
    assert metrics["objectives"] == {
        "parameters": 1218,
        "macs": 1152,
        "seconds": metrics["trained_seconds"],
        "val_loss": metrics["history"]["val_loss"][best],
    }
    assert 0 < metrics["trained_seconds"] <= metrics["seconds"]


@pytest.mark.usefixtures("in_memory")
def test_model_slower_than_the_limit_is_not_trained_and_says_how_slow_it_is(tmp_path):
    make_trial(tmp_path, {"units": 4, "deep": False}, max_latency_ms=1e-6)
    metrics = run(tmp_path)
    assert metrics["state"] == "TOO_LARGE" and 0 < metrics["latency_ms"] < 1000
    assert (
        metrics["message"]
        == f"{metrics['latency_ms']:.3g} ms for one image are more than max_latency_ms=1e-06"
    )
    assert not (tmp_path / "epochs.csv").exists()


@pytest.mark.usefixtures("in_memory")
def test_latency_of_a_model_over_another_limit_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(latency, "measure_latency", lambda model, dtype: pytest.fail("exported in vain"))
    make_trial(tmp_path, {"units": 64, "deep": False}, max_latency_ms=1.0, max_parameters=5)
    assert "are more than max_parameters=5" in run(tmp_path)["message"]


@pytest.mark.slow
@pytest.mark.usefixtures("in_memory")
def test_measuring_latency_changes_no_training_and_is_done_once_for_all_repeats(tmp_path, monkeypatch):
    measured, measure = [], latency.measure_latency
    monkeypatch.setattr(
        latency,
        "measure_latency",
        lambda model, dtype: measured.append(measure(model, dtype)) or measured[-1],
    )
    for name, more in (("without", {}), ("with", {"objectives": ("latency_ms",), "max_latency_ms": 1e4})):
        make_trial(tmp_path / name, {"units": 4, "deep": True}, repeats=2, **more)
    without, found = run(tmp_path / "without"), run(tmp_path / "with")
    assert found["history"] == without["history"] and found["scores"] == without["scores"]
    assert [found["latency_ms"]] == measured and found["objectives"] == {"latency_ms": measured[0]}
    assert "latency_ms" not in without
    (tmp_path / "with/metrics.json").unlink()
    (tmp_path / "with/repeat_2/metrics.json").unlink()
    assert run(tmp_path / "with")["latency_ms"] == measured[0] and len(measured) == 1


def test_multiply_adds_count_models_inside_a_model():
    inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, padding="same")])
    images = keras.Input((8, 8, 3))
    outputs = keras.layers.Dense(2)(keras.layers.Flatten()(inner(images)))
    assert multiply_adds(keras.Model(images, outputs)) == 8 * 8 * 4 * 27 + 8 * 8 * 4 * 2
