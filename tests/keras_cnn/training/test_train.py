"""One run: equal on one and two devices, repeatable, resumed as if never stopped, stopped when it diverges."""

import csv
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_cnn.data.dataset import Split
from keras_cnn.data.pipeline import training_batches
from keras_cnn.errors import InputError
from keras_cnn.training.batchnorm_statistics import BatchStatistics
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.evaluate import measure, predict
from keras_cnn.training.make_model import best_model
from keras_cnn.training.train import Diverged, TrainResult, train_epochs

SETTINGS = TrainSettings(
    options={"blocks": 1, "convolutions": 1, "width": 4, "dense": [8]},
    batch_size=32,
    epochs=3,
    precision="float32",
    schedule="cosine",
    label_smoothing=0.0,
    learning_rate=0.01,
    augmentation="crop",
    batch_norm=False,
)
# everything with a state of its own
FULL = replace(SETTINGS, batch_norm=True, dropout=0.3, ema_momentum=0.8)


def run(settings, data, directory, strategy, **arguments):
    directory.mkdir()
    return train_epochs(settings, data, directory, strategy=strategy, **arguments)


@dataclass(frozen=True)
class Whole:
    """A run of `FULL` that was never stopped; reports: what was reported of each epoch."""

    directory: Path
    result: TrainResult
    reports: list


@pytest.fixture(scope="module")
def whole(data, one_device, tmp_path_factory) -> Whole:
    directory, reports = tmp_path_factory.mktemp("whole") / "run", []
    result = run(FULL, data, directory, one_device, report=lambda epoch, logs: reports.append((epoch, logs)))
    return Whole(directory, result, reports)


def test_train_measures_its_epochs_and_what_the_first_steps_took_of_them(whole):
    seconds = whole.result.epoch_seconds
    assert len(seconds) == FULL.epochs and sum(seconds) == pytest.approx(whole.result.trained_seconds)
    assert 0 < whole.result.startup_seconds < seconds[0], "tracing takes longer than steps"


@pytest.mark.slow
def test_train_keeps_the_epoch_that_is_best_by_its_objective(data, one_device, tmp_path):
    found = run(
        replace(SETTINGS, objective="val_loss", learning_rate=0.3), data, tmp_path / "run", one_device
    )
    losses = found.history["val_loss"]
    assert (found.score, found.objective) == (min(losses), "val_loss")
    assert found.best_epoch == np.argmin(losses) + 1
    with pytest.raises(InputError, match=r"unknown objective 'val_acc'. Did you mean 'val_accuracy'"):
        run(replace(SETTINGS, objective="val_acc"), data, tmp_path / "other", one_device)


def assert_measures_the_best_weights(result, settings, data, directory, tolerance=1e-6, relative=1e-4):
    """Score and loss are those of the best weights; the loss is the plain one, whatever was done to the labels."""
    model = best_model(settings, data.facts, directory)
    measured = measure(predict(model, data.validation), data.validation.labels)
    assert result.score == pytest.approx(measured["accuracy"], abs=tolerance)
    assert result.loss == pytest.approx(measured["loss"], rel=relative, abs=1e-6)
    assert result.history["val_loss"][result.best_epoch - 1] == result.loss


@pytest.mark.slow
def test_train_on_two_devices_has_the_losses_of_one(data, one_device, two_devices, tmp_path):
    settings = replace(SETTINGS, epochs=2)
    alone = run(settings, data, tmp_path / "one", one_device)
    halved = replace(settings, batch_size=16)
    together = run(halved, data, tmp_path / "two", two_devices)
    for metric in ("loss", "val_loss"):
        np.testing.assert_allclose(alone.history[metric], together.history[metric], atol=1e-5)


@pytest.mark.slow
def test_train_on_two_devices_learns_and_validates_an_odd_number_of_images(data, two_devices, tmp_path):
    odd = replace(data.validation, images=data.validation.images[:51], labels=data.validation.labels[:51])
    uneven = replace(data, validation=odd)
    settings = replace(SETTINGS, batch_norm=True, batch_size=8, epochs=5, augmentation="none")
    result = run(settings, uneven, tmp_path / "run", two_devices)
    assert result.score > 0.9
    assert_measures_the_best_weights(result, settings, uneven, tmp_path / "run")


@pytest.mark.slow
def test_train_without_validation_images_keeps_the_last_epoch_of_the_same_training(
    whole, data, one_device, tmp_path
):
    nothing = Split(data.validation.images[:0], data.validation.labels[:0])
    result = run(FULL, replace(data, validation=nothing), tmp_path / "run", one_device)
    assert result.best_epoch == FULL.epochs and result.objective == "loss"
    assert result.score == result.history["loss"][-1] == whole.result.history["loss"][-1]
    assert not [name for name in result.history if name.startswith("val_")]
    with (
        np.load(whole.directory / "checkpoint.npz") as expected,
        np.load(tmp_path / "run/checkpoint.npz") as found,
    ):
        assert expected.files == found.files
        for name in set(found.files) - {"progress"}:  # statistics of batch normalization too
            np.testing.assert_array_equal(expected[name], found[name], err_msg=name)


@pytest.mark.slow
def test_train_from_another_seed_differs(whole, data, one_device, tmp_path):
    """From the same it does not: see the resumed run."""
    run(replace(FULL, seed=1), data, tmp_path / "other", one_device, stop_epoch=1)
    first = best_model(FULL, data.facts, whole.directory).get_weights()
    other = best_model(FULL, data.facts, tmp_path / "other").get_weights()
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True) if a.ndim > 1)


def test_train_resumed_or_continued_equals_an_uninterrupted_run(whole, data, one_device, tmp_path):
    """Bit for bit: weights, dropout, order and augmentation of the images, batch norm, averages, Adam, schedule."""
    halves = tmp_path / "halves"
    run(FULL, data, halves, one_device, stop_epoch=2)
    continued = run(FULL, data, tmp_path / "continued", one_device, start_from=halves)
    for metric in ("loss", "val_loss"):
        assert continued.history[metric] == whole.result.history[metric][2:]
    rest = train_epochs(FULL, data, halves, strategy=one_device, start_from=halves)
    assert replace(rest, seconds=0) == replace(whole.result, seconds=0)  # its record of best and history too
    for name in ("best.npz", "checkpoint.npz"):
        with np.load(whole.directory / name) as expected, np.load(halves / name) as found:
            assert expected.files == found.files
            for array in expected.files:
                np.testing.assert_array_equal(expected[array], found[array], err_msg=array)
    assert (halves / "epochs.csv").read_text() == (whole.directory / "epochs.csv").read_text()


@pytest.mark.slow
def test_train_continued_on_two_devices_equals_an_uninterrupted_run(data, two_devices, tmp_path):
    settings = replace(SETTINGS, batch_norm=True, batch_size=16, epochs=2)
    expected = run(settings, data, tmp_path / "whole", two_devices)
    run(settings, data, tmp_path / "start", two_devices, stop_epoch=1)
    rest = run(settings, data, tmp_path / "rest", two_devices, start_from=tmp_path / "start")
    for metric in ("loss", "val_loss"):
        assert rest.history[metric] == expected.history[metric][1:]


def test_train_keeps_the_weights_of_the_best_score(whole, data):
    result, reports = whole.result, whole.reports
    assert [epoch for epoch, _ in reports] == [1, 2, 3]
    accuracies = result.history["val_accuracy"]
    assert result.score == max(accuracies) == reports[result.best_epoch - 1][1]["val_accuracy"]
    assert_measures_the_best_weights(result, FULL, data, whole.directory)
    rows = list(csv.DictReader((whole.directory / "epochs.csv").open()))
    assert [float(row["val_accuracy"]) for row in rows] == pytest.approx(accuracies)
    assert result.parameters == best_model(FULL, data.facts, whole.directory).count_params()


def test_train_with_averages_estimates_the_statistics_of_the_averages(whole, data):
    """Weights are averaged, then batch normalization's statistics estimated for them, then both recorded."""
    model = best_model(FULL, data.facts, whole.directory)
    recorded = [weight.numpy() for weight in model.non_trainable_weights]
    batches = training_batches(data.train, FULL.batch_size, epochs=1, seed=FULL.seed)
    statistics = BatchStatistics(batches)
    statistics.set_model(model)
    statistics.on_test_begin()
    for weight, expected in zip(model.non_trainable_weights, recorded, strict=True):
        np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-4, atol=1e-5, err_msg=weight.path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {
            "label_smoothing": 0.1,
            "augmentation": "flip+crop+cutout+mixup+cutmix",
            "class_weight": "balanced",
        },
        {"ema_momentum": 0.9, "batch_norm": True, "balanced": True, "augmentation": "randaugment+color"},
        {"precision": "mixed_float16"},
        {"synchronized": True, "batch_norm": True, "optimizer": "muon"},
        {"optimizer": "sgd", "schedule": "one_cycle", "global_clipnorm": 1.0},
    ],
    ids=str,
)
def test_train_on_two_devices_measures_the_best_weights(data, two_devices, tmp_path, change):
    settings = replace(SETTINGS, batch_size=16, epochs=2, **change)
    result = run(settings, data, tmp_path / "run", two_devices)
    tolerances = (0.02, 0.02) if "precision" in change else (1e-6, 1e-4)
    assert_measures_the_best_weights(result, settings, data, tmp_path / "run", *tolerances)


@pytest.mark.slow
def test_train_with_class_weights_weighs_the_loss(data, one_device, tmp_path):
    """A loss that counts the first class alone learns to answer nothing else."""
    settings = replace(SETTINGS, class_weight="1,1e-6", epochs=1, learning_rate=0.02)
    run(settings, data, tmp_path / "run", one_device)
    probabilities = predict(best_model(settings, data.facts, tmp_path / "run"), data.validation)
    assert probabilities[:, 0].mean() > 0.9


@pytest.mark.slow
def test_train_from_a_weights_file_resumes_without_it(few_large_data, one_device, tmp_path):
    """A frozen body stays, bit for bit; resuming and rebuilding need the file no more."""
    keras.utils.set_random_seed(0)
    net = keras.applications.VGG16(weights=None, include_top=False)
    net.save_weights(tmp_path / "vgg16.weights.h5")
    settings = replace(SETTINGS, architecture="vgg16", options={"dense": []}, freeze="body", epochs=2)
    settings = replace(settings, weights=str(tmp_path / "vgg16.weights.h5"))
    large = few_large_data
    whole = run(settings, large, tmp_path / "whole", one_device)
    run(settings, large, tmp_path / "halves", one_device, stop_epoch=1)
    (tmp_path / "vgg16.weights.h5").unlink()
    rest = train_epochs(
        settings, large, tmp_path / "halves", strategy=one_device, start_from=tmp_path / "halves"
    )
    assert rest.history == whole.history
    assert rest.trainable_parameters == 512 * 2 + 2
    model = best_model(settings, large.facts, tmp_path / "halves")
    loaded = model.get_weights()
    np.testing.assert_array_equal(loaded[0], net.get_weights()[0][:, :, ::-1])
    for found, expected in zip(loaded[1:26], net.get_weights()[1:], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_train_with_patience_ends_a_run_that_gets_no_better(data, one_device, tmp_path):
    """And does not go on with it when it was killed after its last epoch."""
    settings = replace(SETTINGS, learning_rate=1e-12, schedule="constant", epochs=20, patience=2)
    result = run(settings, data, tmp_path / "run", one_device)
    assert len(result.history["loss"]) == result.best_epoch + 2 < 20
    again = train_epochs(settings, data, tmp_path / "run", strategy=one_device, start_from=tmp_path / "run")
    assert replace(again, seconds=0) == replace(result, seconds=0)


def test_train_of_a_run_killed_after_its_last_epoch_trains_no_further(whole, data, one_device, tmp_path):
    directory = shutil.copytree(whole.directory, tmp_path / "run")
    again = train_epochs(FULL, data, directory, strategy=one_device, start_from=directory)
    assert replace(again, seconds=0) == replace(whole.result, seconds=0)


def test_train_whose_loss_is_not_finite_is_stopped(data, one_device, tmp_path):
    settings = replace(SETTINGS, optimizer="sgd", learning_rate=1e30, schedule="constant")
    with pytest.raises(Diverged, match=r"nan|inf"):
        run(settings, data, tmp_path / "run", one_device)
    assert not list((tmp_path / "run").glob("*.npz"))


def test_train_with_a_batch_larger_than_the_data_is_refused(data, two_devices, tmp_path):
    with pytest.raises(InputError, match="a batch of 200 images does not fit the 192 training images"):
        run(replace(SETTINGS, batch_size=100), data, tmp_path / "run", two_devices)


def test_best_model_of_a_folder_without_weights_is_refused(data, tmp_path):
    with pytest.raises(InputError, match=r"best\.npz"):
        best_model(SETTINGS, data.facts, tmp_path)
