"""HyperCNN is a plain HyperModel: stock KerasTuner runs it under one MirroredStrategy."""

import shutil

import keras_tuner as kt
import numpy as np
import pytest

from keras_cnn.training.config import TrainSettings
from tuning.config import read_study
from tuning.hypermodel import HyperCNN
from tuning.storage.trials import best, hyperparameters

SETTINGS = TrainSettings(options={"dense": [8]}, batch_size=16, epochs=2, precision="float32")
GIVEN = {"options.blocks": 1, "options.width": 2, "options.convolutions": 1, "batch_size": 16}


@pytest.mark.slow
def test_stock_hyperband_under_mirrored_strategy_finds_a_best_model(data, two_devices, tmp_path):
    """The other stock tuners call the same methods, with fewer arguments."""
    search = kt.Hyperband(
        HyperCNN(data.facts, SETTINGS, GIVEN),
        objective="val_accuracy",
        directory=tmp_path,
        project_name="stock",
        distribution_strategy=two_devices,
        seed=1,
        max_epochs=2,
        factor=2,
        hyperband_iterations=1,
    )
    search.oracle.max_trials = 3  # two of one epoch, of which the better one goes on
    search.search(
        data.train.images,
        data.train.labels,
        validation_data=(data.validation.images, data.validation.labels),
        epochs=1,
        verbose=0,
    )
    states = {trial.status for trial in search.oracle.trials.values()}
    assert states == {"COMPLETED"}
    *_, last = search.oracle.trials.values()
    assert last.hyperparameters.values["tuner/trial_id"] in search.oracle.trials
    (best,) = search.get_best_models()
    assert best.distribute_strategy is two_devices
    measured = best.evaluate(data.validation.images, data.validation.labels, verbose=0, batch_size=32)
    assert measured[1] == pytest.approx(search.oracle.get_best_trials()[0].score, abs=1e-6)


def test_hypermodel_takes_its_settings_from_the_hyperparameters(data):
    hp = kt.HyperParameters()
    model = HyperCNN(data.facts, SETTINGS, GIVEN)
    hp.Fixed("activation", "elu")
    settings = model.settings(hp)
    assert (settings.activation, settings.batch_size, settings.options["dense"]) == ("elu", 16, [8])
    assert np.isfinite(model.build(hp).predict(data.validation.images[:2], verbose=0)).all()


@pytest.mark.slow
def test_stock_random_search_for_masks_under_mirrored_strategy(mask_data, two_devices, tmp_path):
    options = {
        "architecture": "unet",
        "options": {"width": 4, "depth": 1, "convolutions": 1},
        "crop_size": (16, 16),
        "batch_size": 2,
    }
    base, fixed_hyperparameters = (
        TrainSettings(**options, epochs=1, precision="float32"),
        {"batch_size": 2, "options.width": 4, "options.depth": 1, "options.convolutions": 1},
    )
    search = kt.RandomSearch(
        HyperCNN(mask_data.facts, base, fixed_hyperparameters),
        objective=kt.Objective("val_mean_iou", "max"),
        directory=tmp_path,
        distribution_strategy=two_devices,
        max_trials=1,
        seed=1,
    )
    validation = (mask_data.validation.images, mask_data.validation.labels)
    search.search(
        mask_data.train.images, mask_data.train.labels, validation_data=validation, epochs=1, verbose=0
    )
    assert 0 < search.oracle.get_best_trials()[0].score <= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kt.RandomSearch, kt.Hyperband])
def test_study_opens_in_stock_kerastuner(kind, finished, tmp_path, capsys):
    shutil.copytree(finished[0], tmp_path / "study")
    study = read_study(tmp_path / "study")
    tuner = kind(
        HyperCNN(study.facts, study.base, study.fixed_hyperparameters),
        objective="val_accuracy",
        directory=tmp_path / "study",
        project_name="keras_tuner",
    )
    winner = best(study)
    (found,) = tuner.get_best_hyperparameters()
    assert found.values == {**hyperparameters(winner, tuner=True)}
    assert tuner.oracle.get_best_trials()[0].score == winner["score"]
    tuner.results_summary(num_trials=3)
    said = capsys.readouterr().out
    assert f"Trial {winner['trial']} summary" in said and f"Score: {winner['score']}" in said
