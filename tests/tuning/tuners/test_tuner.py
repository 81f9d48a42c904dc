"""KerasTuner's tuners in this process: what a trial trains, continues, and how it ends."""

import keras
import keras_tuner as kt
import numpy as np
import pytest

from tests.tuning.tuners.small_search import build, points, scores
from tuning import Hyperband, RandomSearch, Tuner
from tuning.tuners import checkpoint

GIVEN = {"objective": "val_accuracy", "seed": 5, "executor": "inline", "project_name": "project"}


class Killed(BaseException):
    """As KeyboardInterrupt: no trial takes it for its own failure."""


def search(tuner, **more) -> None:
    x, y = points()
    tuner.search(x, y, **{"epochs": 4, "validation_split": 0.25, "batch_size": 16, "verbose": 0, **more})


def killed_after(monkeypatch, states: int) -> None:
    """Let the process die when so many states of trials are written."""
    save_state, count = checkpoint.save_state, iter(range(states))

    def save(*args):
        save_state(*args)
        if next(count, None) is None:
            raise Killed

    monkeypatch.setattr(checkpoint, "save_state", save)


def early_stopping() -> keras.callbacks.Callback:
    return keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=0.01, restore_best_weights=True)


class TwoPhases(kt.HyperModel):
    """Trains the last layer, then all."""

    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, callbacks, **kwargs):
        optimizer = model.optimizer.get_config()
        model.layers[0].trainable = False
        for trainable in (False, True):
            model.layers[0].trainable = trainable
            model.compile(
                keras.optimizers.Adam.from_config(optimizer),
                model.loss,
                metrics=["accuracy"],
                run_eagerly=True,
            )
            history = model.fit(*args, callbacks=callbacks, shuffle=False, **kwargs)
        return history


def unbuilt(hp):
    """As in Keras's guides, without an Input: Keras builds it at the first batch."""
    model = keras.Sequential(
        [
            keras.layers.Dense(hp.Choice("units", [4, 8]), "relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(2, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return model


CASES = {
    "unbuilt": (RandomSearch, unbuilt, {"max_trials": 2}, list),
    "plain": (RandomSearch, build, {"max_trials": 2}, list),
    "early stopping": (RandomSearch, build, {"max_trials": 2}, lambda: [early_stopping()]),
    "two executions": (RandomSearch, build, {"max_trials": 1, "executions_per_trial": 2}, list),
    "two phases": (RandomSearch, TwoPhases(), {"max_trials": 1}, list),
    "hyperband": (Hyperband, build, {"max_epochs": 2, "factor": 2}, list),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_search_killed_at_every_third_epoch_equals_an_uninterrupted_one(case, tmp_path, monkeypatch):
    kind, hypermodel, arguments, callbacks = CASES[case]

    def make(name):
        return kind(hypermodel, directory=tmp_path / name, **{**GIVEN, **arguments})

    whole = make("whole")
    search(whole, callbacks=callbacks())
    for _ in range(30):
        killed = make("killed")
        with monkeypatch.context() as patch:
            killed_after(patch, 2)
            try:
                search(killed, callbacks=callbacks())
            except Killed:
                continue
        break
    assert scores(killed) == scores(whole)
    for one, other in zip(killed.get_best_models(2), whole.get_best_models(2), strict=True):
        for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_hyperband_continues_the_optimizer(tmp_path):
    steps = []

    class Count(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.begun = True

        def on_epoch_begin(self, epoch, logs=None):
            if self.begun:
                steps.append((epoch, int(self.model.optimizer.iterations)))
            self.begun = False

        def __deepcopy__(self, memo):
            return self

    tuner = Hyperband(build, max_epochs=2, factor=2, directory=tmp_path, **GIVEN)
    search(tuner, callbacks=[Count()])
    assert {epoch for epoch, _ in steps} == {0, 1}
    assert all(iterations == 3 * epoch for epoch, iterations in steps)  # 48 images in batches of 16


@pytest.mark.slow
def test_hyperband_trains_every_trial_for_its_least_epochs(tmp_path):
    given = {**GIVEN, "max_epochs": 4, "factor": 2, "directory": tmp_path}
    for _ in range(2):  # the second continues a search that has ended
        tuner = Hyperband(build, min_epochs=2, **given)
        search(tuner)
        epochs = [trial.hyperparameters["tuner/epochs"] for trial in tuner.oracle.trials.values()]
        assert set(epochs) == {2, 4}
    with pytest.raises(ValueError, match="min_epochs=5 must be from 1 to max_epochs=4"):
        Hyperband(build, min_epochs=5, **given)


@pytest.mark.slow
def test_loss_that_is_not_finite_fails_the_trial_and_is_not_ranked(tmp_path):
    def explode(hp):
        model = build(hp)
        if hp.Boolean("explodes"):
            model.compile(
                "sgd",
                lambda y_true, y_pred: keras.ops.sum(y_pred) * float("nan"),
                metrics=["accuracy"],
                run_eagerly=True,
            )
        return model

    tuner = RandomSearch(explode, max_trials=8, directory=tmp_path, **GIVEN)
    search(tuner, epochs=1)
    states = {trial.hyperparameters["explodes"]: trial.status for trial in tuner.oracle.trials.values()}
    assert states == {True: "FAILED", False: "COMPLETED"}
    assert not tuner.get_best_hyperparameters()[0]["explodes"]


def test_run_trial_of_a_subclass_runs_in_this_process(tmp_path):
    class Quadratic(Tuner):
        def run_trial(self, trial, *args, **kwargs):
            x = trial.hyperparameters.Float("x", -1.0, 1.0)
            return x * x

    tuner = Quadratic(kt.oracles.RandomSearchOracle(max_trials=5, seed=1), directory=tmp_path)
    tuner.search(verbose=0)
    best = tuner.get_best_hyperparameters()[0]["x"]
    assert best**2 == min(trial.score for trial in tuner.oracle.trials.values())


@pytest.mark.slow
@pytest.mark.parametrize("change", ["model", "callbacks"])
def test_script_changed_between_a_kill_and_its_next_run_goes_on(change, tmp_path, monkeypatch):
    def larger(hp):
        model = build(hp)
        model.add(keras.layers.Dense(2))
        model.compile("adam", model.loss, metrics=["accuracy"], run_eagerly=True)
        return model

    def make(hypermodel):
        return RandomSearch(hypermodel, max_trials=1, directory=tmp_path, **GIVEN)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_after(patch, 1)
        search(make(build), callbacks=[early_stopping()])
    tuner = make(larger if change == "model" else build)
    others = [keras.callbacks.TerminateOnNaN(), early_stopping()]
    search(tuner, callbacks=others if change == "callbacks" else [early_stopping()])
    assert [trial.status for trial in tuner.oracle.trials.values()] == ["COMPLETED"]
    quarantined = list(tmp_path.glob("project/trial_0/quarantine/state-*.npz"))
    assert len(quarantined) == (change == "model")


def test_training_loops_of_the_users_own_are_left_alone(tmp_path):
    class Loop(kt.HyperModel):
        def build(self, hp):
            return keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 4, 8))])

        def fit(self, hp, model, *args, callbacks, **kwargs):
            callbacks = keras.callbacks.CallbackList(callbacks, model=model)
            callbacks.on_train_begin()
            for epoch in range(2):
                callbacks.on_epoch_end(epoch, {"size": 1.0})
            callbacks.on_train_end()
            return {"size": hp["units"]}

    class Halved(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2, "softmax")

        def call(self, inputs):
            return self.dense(inputs)

        def fit(self, x, y, **arguments):
            assert isinstance(x, np.ndarray)
            return super().fit(x / 2, y, **arguments)

    def halved(hp):
        model = Halved()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        hp.Fixed("kind", "halved")
        return model

    for hypermodel, objective in ((Loop(), kt.Objective("size", "max")), (halved, "val_accuracy")):
        given = {**GIVEN, "objective": objective, "project_name": type(hypermodel).__name__}
        tuner = RandomSearch(hypermodel, max_trials=1, directory=tmp_path, **given)
        search(tuner, epochs=1)
        assert [trial.status for trial in tuner.oracle.trials.values()] == ["COMPLETED"]


def test_weights_that_are_damaged_are_named_in_one_line(tmp_path):
    tuner = RandomSearch(build, max_trials=1, directory=tmp_path, **GIVEN)
    search(tuner, epochs=1)
    (path,) = tmp_path.glob("project/trial_0/checkpoint.weights.h5")
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"checkpoint.weights.h5 is damaged .* train the trial's"):
        tuner.get_best_models()


def test_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"unknown executor 'cloud'. There is: inline, local."):
        RandomSearch(build, max_trials=1, directory=tmp_path, **{**GIVEN, "executor": "cloud"})
    with pytest.raises(ValueError, match="workers=0 must be at least 1"):
        RandomSearch(build, max_trials=1, directory=tmp_path, workers=0, **GIVEN)
    with pytest.raises(ValueError, match="`hypermodel=None`"):
        RandomSearch(max_trials=1, directory=tmp_path, **GIVEN)
