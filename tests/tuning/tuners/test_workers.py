"""KerasTuner's tuners with trials in worker processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import keras_tuner as kt
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn import logs
from tests.tuning.tuners.small_search import build, points, scores
from tuning import RandomSearch
from tuning.tuners.program import Program, load_program

GIVEN = {"objective": "val_accuracy", "seed": 5, "project_name": "project", "workers": 1}
FIT = {"epochs": 2, "validation_split": 0.25, "batch_size": 16, "verbose": 0}


@pytest.mark.slow
def test_workers_give_the_scores_and_models_of_this_process(tmp_path):
    x, y = points()
    offset = 0.25  # a closure, which only goes by value

    def shifted(hp):
        print("building with offset", offset)
        return build(hp)

    found, two = [], {**GIVEN, "workers": 2}
    for executor in ("inline", "local"):
        tuner = RandomSearch(shifted, max_trials=3, directory=tmp_path / executor, executor=executor, **two)
        tuner.search(x, y, **FIT)
        found.append(scores(tuner))
    assert found[0] == found[1]
    model, best = tuner.get_best_models()[0], tuner.oracle.get_best_trials()[0]
    assert np.mean(model.predict(x[48:], verbose=0).argmax(1) == y[48:]) == pytest.approx(best.score)
    log = Path(tuner.get_trial_dir(best.trial_id)) / "log.txt"
    assert "building with offset 0.25" in log.read_text(encoding="utf-8")


@pytest.mark.slow
def test_fit_of_the_hypermodel_and_data_functions_run_in_workers(tmp_path):
    class Custom(kt.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, x, y, callbacks, **kwargs):
            if hp["units"] == 2:
                raise kt.errors.FailedTrialError("too small")
            return {"size": hp["units"], "seen": float(len(x))}

    messages: list[str] = []
    tuner = RandomSearch(
        Custom(),
        **{**GIVEN, "objective": kt.Objective("size", "max")},
        max_trials=6,
        max_consecutive_failed_trials=6,
        directory=tmp_path,
    )
    with logs.redirected(messages.append):
        tuner.search(points, verbose=0)
    trials = tuner.oracle.trials.values()
    assert {trial.status for trial in trials if trial.hyperparameters["units"] == 2} <= {"FAILED"}
    assert tuner.oracle.get_best_trials()[0].score == 8
    assert all(trial.metrics.get_best_value("seen") == 64 for trial in trials if trial.status == "COMPLETED")
    assert any("does not pass `callbacks` on" in message for message in messages)


@pytest.mark.slow
def test_settings_and_registered_classes_of_the_script_reach_the_workers(tmp_path):
    @keras.saving.register_keras_serializable("small_search")
    class Doubled(keras.layers.Layer):
        def call(self, inputs):
            return inputs * 2

    keras.Sequential([keras.Input((4,)), Doubled()]).save(tmp_path / "base.keras")
    policy = keras.config.dtype_policy()

    def seen(hp):
        hp.Fixed("layers", 1)
        keras.models.load_model(tmp_path / "base.keras")
        return build(kt.HyperParameters())

    class Seen(kt.HyperModel):
        def build(self, hp):
            return seen(hp)

        def fit(self, hp, model, *args, **kwargs):
            return {
                "half": float(model.layers[0].compute_dtype == "bfloat16"),
                "epsilon": keras.config.epsilon(),
            }

    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.config.set_epsilon(1e-3)
    try:
        given = {**GIVEN, "objective": kt.Objective("half", "max")}
        tuner = RandomSearch(Seen(), max_trials=1, directory=tmp_path, **given)
        tuner.search(*points(), verbose=0)
    finally:
        keras.config.set_dtype_policy(policy)
        keras.config.set_epsilon(1e-7)
    (trial,) = tuner.oracle.trials.values()
    assert trial.score == 1 and trial.metrics.get_best_value("epsilon") == pytest.approx(1e-3)


def test_subclass_with_hooks_of_trials_runs_in_this_process(tmp_path):
    class Counting(RandomSearch):
        def on_epoch_end(self, trial, model, epoch, logs=None):
            epochs.append((self.oracle.get_trial(trial.trial_id).status, epoch))

    epochs: list[tuple[str, int]] = []
    tuner = Counting(build, max_trials=1, directory=tmp_path, **GIVEN)
    tuner.search(*points(), **FIT)
    assert epochs == [("RUNNING", 0), ("RUNNING", 1)]


def test_what_a_killed_search_left_in_the_temporary_folder_is_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "keras-cnn-999999999-x").mkdir()
    (tmp_path / f"keras-cnn-{os.getpid()}-y").mkdir()
    with Program(1):
        assert not (tmp_path / "keras-cnn-999999999-x").exists()
        assert (tmp_path / f"keras-cnn-{os.getpid()}-y").exists()


def test_live_dataset_runs_in_this_process_and_one_line_says_so(tmp_path):
    x, y = points()
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
    messages: list[str] = []
    tuner = RandomSearch(build, max_trials=1, directory=tmp_path, **GIVEN)
    with logs.redirected(messages.append):
        tuner.search(data, validation_data=data, epochs=1, verbose=0)
    assert len(tuner.oracle.trials) == 1
    assert len(messages) == 1 and "trials run in this process" in messages[0] and "function" in messages[0]


@pytest.mark.slow
def test_error_of_the_user_that_ends_the_search_arrives_as_in_keras_tuner(tmp_path):
    class Forgotten(kt.HyperModel):
        def __init__(self, leaves):
            super().__init__()
            self.leaves = leaves

        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            if self.leaves:
                sys.exit("no such width")

    for leaves, error, message in (
        (0, kt.errors.FatalTypeError, "is None"),
        (1, SystemExit, "no such width"),
    ):
        tuner = RandomSearch(Forgotten(leaves), max_trials=1, directory=tmp_path / message, **GIVEN)
        with pytest.raises(error, match=message):
            tuner.search(*points(), verbose=0)


def test_large_arrays_are_written_once_and_mapped(tmp_path):
    images = np.arange(600_000, dtype="float32")
    with Program((images, {"again": images}, lambda: images.sum(), np.ones(3))) as program:
        folder = program.path.parent
        assert len(list(folder.glob("*.npy"))) == 1 and program.path.stat().st_size < 10_000
        first, second, total, small = load_program(program.path)
        assert first is second["again"]
        assert isinstance(first.base, np.memmap) and total() == images.sum() and small.tolist() == [1, 1, 1]
        first[0] = 7  # its own copy of the page
        assert np.load(folder / "array-0.npy")[0] == 0
    assert not folder.exists()


@pytest.mark.slow
def test_search_whose_processes_are_killed_equals_an_uninterrupted_one(tmp_path):
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.tuning.tuners.small_search import build, points
from tuning import RandomSearch
tuner = RandomSearch(build, max_trials=4, directory=sys.argv[1], **{GIVEN!r})
tuner.search(*points(), **{ {**FIT, "epochs": 8}!r})
"""
    command = [sys.executable, "-c", code]
    subprocess.run([*command, tmp_path / "whole"], check=True, capture_output=True)
    for seconds in (8, 12, 1000):
        process = subprocess.Popen([*command, tmp_path / "killed"], stdout=subprocess.DEVNULL)
        started = time.monotonic()
        while process.poll() is None and time.monotonic() - started < seconds:
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    found = []
    for name in ("whole", "killed"):
        tuner = RandomSearch(build, max_trials=4, directory=tmp_path / name, **GIVEN)
        found.append(scores(tuner))
    assert len(found[0]) == 4 and found[0] == found[1]
