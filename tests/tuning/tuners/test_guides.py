"""What Keras's guides to KerasTuner do, by stock KerasTuner and by the classes here: only the import differs.

Getting started and distributed search are in `test_workers`; these are the others.
"""

import keras
import keras_tuner
import numpy as np
import pytest

import tuning
from tests.tuning.tuners.small_search import build, points

MODULES = pytest.mark.parametrize("module", [keras_tuner, tuning], ids=["stock", "ours"])
GIVEN = {"overwrite": True, "project_name": "guide", "seed": 1}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Workers run the same code, and take seconds to start."""
    monkeypatch.setitem(tuning.Tuner.__init__.__kwdefaults__, "executor", "inline")


class CustomLoop(keras_tuner.HyperModel):
    """The guide's custom training loop: gradients by hand, its own metric, the callbacks called by hand."""

    def build(self, hp):
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 4, 8), "relu")])

    def fit(self, hp, model, x, y, callbacks=None, **kwargs):
        weight = model.trainable_weights[0]
        for callback in callbacks:
            callback.set_model(model)
        losses = []
        for epoch in range(2):
            weight.assign_sub(hp.Float("rate", 1e-3, 1e-2, sampling="log") * keras.ops.sign(weight))
            losses.append(float(np.mean(model(x).numpy() ** 2)))
            for callback in callbacks:
                callback.on_epoch_end(epoch, logs={"my_metric": losses[-1]})
        return min(losses)


@MODULES
def test_custom_training_loop_that_returns_a_float(module, tmp_path):
    # a float stands for the default objective, which is to be minimized
    tuner = module.RandomSearch(CustomLoop(), max_trials=2, directory=tmp_path, **GIVEN)
    tuner.search(*points(), verbose=0)
    best = tuner.get_best_hyperparameters()[0]
    assert 4 <= best["units"] <= 8 and 1e-3 <= best["rate"] <= 1e-2
    scores = [trial.score for trial in tuner.oracle.get_best_trials(2)]
    assert scores == sorted(scores) and np.isfinite(scores).all()
    assert tuner.hypermodel.build(best).layers[0].units == best["units"]


@pytest.mark.slow
@MODULES
def test_tailored_search_space(module, tmp_path):
    """Some hyperparameters are fixed or narrowed from outside; of the others none is searched."""
    hp = keras_tuner.HyperParameters()
    hp.Float("learning_rate", 0.01, 0.02)
    fixed = keras_tuner.HyperParameters()
    fixed.Fixed("units", 4)
    x, y = points()
    for given, tuned in ((hp, {"learning_rate"}), (fixed, {"units"})):
        tuner = module.RandomSearch(
            build,
            objective="val_accuracy",
            max_trials=2 if given is hp else 1,
            hyperparameters=given,
            tune_new_entries=False,
            directory=tmp_path,
            **GIVEN,
        )
        tuner.search(x, y, epochs=1, validation_data=(x, y), verbose=0)
        assert {entry.name for entry in tuner.oracle.get_space().space} == tuned
    assert tuner.get_best_hyperparameters()[0]["units"] == 4


@MODULES
def test_objective_of_the_users_own_and_changed_compile_arguments(module, tmp_path):
    x, y = points()
    tuner = module.RandomSearch(
        build,
        objective=keras_tuner.Objective("val_entropy", direction="min"),
        max_trials=1,
        metrics=[keras.metrics.SparseCategoricalCrossentropy("entropy", from_logits=True)],
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        directory=tmp_path,
        **GIVEN,
    )
    tuner.search(x, y, epochs=1, validation_data=(x, y), verbose=0)
    assert np.isfinite(tuner.oracle.get_best_trials()[0].score)


@pytest.mark.slow
@MODULES
def test_failed_trials_are_left_out(module, tmp_path):
    def too_large(hp):
        model = build(hp)
        if hp["units"] > 2:
            raise keras_tuner.errors.FailedTrialError("too many units")
        return model

    x, y = points()
    arguments = {"objective": "val_accuracy", "directory": tmp_path, **GIVEN}
    tuner = module.GridSearch(too_large, max_trials=3, max_consecutive_failed_trials=9, **arguments)
    tuner.search(x, y, epochs=1, validation_data=(x, y), verbose=0)
    states = {trial.hyperparameters["units"]: trial.status for trial in tuner.oracle.trials.values()}
    assert states[2] == "COMPLETED" and {states.get(units, "FAILED") for units in (4, 8)} == {"FAILED"}


@pytest.mark.slow
@MODULES
def test_tensorboard_callback_logs_each_trial_with_its_hyperparameters(module, tmp_path):
    x, y = points()
    tuner = module.RandomSearch(
        build, objective="val_accuracy", max_trials=2, directory=tmp_path / "search", **GIVEN
    )
    tuner.search(
        x,
        y,
        epochs=1,
        validation_data=(x, y),
        verbose=0,
        callbacks=[keras.callbacks.TensorBoard(str(tmp_path / "logs"))],
    )
    for trial in tuner.oracle.trials:
        assert list((tmp_path / "logs").glob(f"{trial}/execution0/train/events*"))
        assert list((tmp_path / "logs").glob(f"{trial}/execution0/events*"))  # of the HParams tab
