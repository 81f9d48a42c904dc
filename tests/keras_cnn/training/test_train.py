"""One run: equal on one and two devices, repeatable, resumed as if never stopped, stopped when it diverges."""

import csv
from dataclasses import replace

import keras
import numpy as np
import pytest

from keras_cnn.errors import InputError
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.evaluate import measure, predict
from keras_cnn.training.train import Diverged, best_model, train

SETTINGS = TrainSettings(
    options={"blocks": 2, "convolutions": 1, "width": 4, "dense": [8]},
    batch_size=32,
    epochs=3,
    precision="float32",
    schedule="cosine",
    label_smoothing=0.0,
    learning_rate=0.01,
    augmentation="crop",
    batch_norm=False,
)


def run(settings, data, directory, strategy, **arguments):
    directory.mkdir()
    return train(settings, data, directory, strategy=strategy, **arguments)


def weights(settings, data, directory):
    return best_model(settings, data.facts, directory).get_weights()


def test_two_devices_train_as_one(data, one_device, two_devices, tmp_path):
    alone = run(SETTINGS, data, tmp_path / "one", one_device)
    halved = replace(SETTINGS, batch_size=16)
    together = run(halved, data, tmp_path / "two", two_devices)
    for metric in ("loss", "val_loss"):
        np.testing.assert_allclose(alone.history[metric], together.history[metric], atol=1e-5)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_validation_of_an_odd_number_of_images_on_two_devices(data, two_devices, tmp_path, batch_norm):
    odd = replace(data.validation, images=data.validation.images[:51], labels=data.validation.labels[:51])
    uneven = replace(data, validation=odd)
    settings = replace(SETTINGS, batch_norm=batch_norm, batch_size=8)
    result = run(settings, uneven, tmp_path / "run", two_devices)
    measured = measure(predict(best_model(settings, data.facts, tmp_path / "run"), odd), odd.labels)
    assert result.score == pytest.approx(measured["accuracy"], abs=1e-6)
    assert result.history["val_loss"][result.best_epoch - 1] == pytest.approx(
        measured["loss"], rel=1e-4, abs=1e-6
    )


def test_same_seed_same_weights(data, one_device, tmp_path):
    settings = replace(SETTINGS, dropout=0.2, batch_norm=True)
    for name in ("first", "second"):
        run(settings, data, tmp_path / name, one_device)
    run(replace(settings, seed=1), data, tmp_path / "other", one_device)
    first, second, other = (weights(settings, data, tmp_path / name) for name in ("first", "second", "other"))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("devices", ["one_device", pytest.param("two_devices", marks=pytest.mark.slow)])
def test_continued_run_equals_an_uninterrupted_one(data, devices, tmp_path, request):
    """Weights, optimizer, schedule and order of the images go on; batch norm statistics too."""
    strategy = request.getfixturevalue(devices)
    settings = replace(SETTINGS, batch_norm=True, batch_size=16)
    whole = run(settings, data, tmp_path / "whole", strategy)
    run(settings, data, tmp_path / "start", strategy, stop_epoch=1)
    rest = run(settings, data, tmp_path / "rest", strategy, start_from=tmp_path / "start")
    assert rest.history["loss"] == whole.history["loss"][1:]
    assert rest.history["val_loss"] == whole.history["val_loss"][1:]


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(data, one_device, tmp_path):
    """Dropout, augmentation, batch norm, averages, Adam and schedule; also its record of best and history."""
    settings = replace(SETTINGS, batch_norm=True, dropout=0.3, ema_momentum=0.8)
    whole = run(settings, data, tmp_path / "whole", one_device)
    halves = tmp_path / "halves"
    run(settings, data, halves, one_device, stop_epoch=2)
    rest = train(settings, data, halves, strategy=one_device, start_from=halves)
    assert replace(rest, seconds=0) == replace(whole, seconds=0)
    for name in ("best.npz", "checkpoint.npz"):
        with np.load(tmp_path / "whole" / name) as expected, np.load(halves / name) as found:
            assert expected.files == found.files
            for array in expected.files:
                np.testing.assert_array_equal(expected[array], found[array], err_msg=array)
    assert (halves / "epochs.csv").read_text() == (tmp_path / "whole" / "epochs.csv").read_text()


def test_best_weights_are_those_of_the_score(data, one_device, tmp_path):
    told = []
    result = run(
        SETTINGS, data, tmp_path / "run", one_device, report=lambda epoch, logs: told.append((epoch, logs))
    )
    assert [epoch for epoch, _ in told] == [1, 2, 3]
    assert (
        result.score == max(result.history["val_accuracy"]) == told[result.best_epoch - 1][1]["val_accuracy"]
    )
    model = best_model(SETTINGS, data.facts, tmp_path / "run")
    measured = measure(predict(model, data.validation), data.validation.labels)
    assert measured["accuracy"] == pytest.approx(result.score, abs=1e-6)
    rows = list(csv.DictReader((tmp_path / "run" / "epochs.csv").open()))
    assert [float(row["val_accuracy"]) for row in rows] == pytest.approx(result.history["val_accuracy"])
    assert result.parameters == model.count_params()


def test_it_learns(data, two_devices, tmp_path):
    settings = replace(SETTINGS, batch_norm=True, epochs=6, batch_size=16, augmentation="none")
    assert run(settings, data, tmp_path / "run", two_devices).score > 0.9


@pytest.mark.parametrize(
    "change",
    [
        {"label_smoothing": 0.1},
        {"augmentation": "flip+crop+cutout+mixup+cutmix"},
        {"augmentation": "randaugment+color"},
        {"balanced": True},
        {"class_weight": "balanced", "augmentation": "mixup"},
        {"ema_momentum": 0.9, "batch_norm": True},
        pytest.param({"synchronized": True, "batch_norm": True}, marks=pytest.mark.slow),
        {"optimizer": "muon", "batch_norm": True},
        pytest.param(
            {"optimizer": "sgd", "schedule": "one_cycle", "global_clipnorm": 1.0}, marks=pytest.mark.slow
        ),
        {"precision": "mixed_float16"},
    ],
    ids=str,
)
def test_every_way_to_train_works_on_two_devices(data, two_devices, tmp_path, change):
    settings = replace(SETTINGS, batch_size=16, epochs=2, **change)
    result = run(settings, data, tmp_path / "run", two_devices)
    measured = measure(
        predict(best_model(settings, data.facts, tmp_path / "run"), data.validation), data.validation.labels
    )
    assert result.score == pytest.approx(measured["accuracy"], abs=0.02 if "precision" in change else 1e-6)
    # the validation loss is the plain one, whatever was done to the labels of train
    assert result.loss == pytest.approx(measured["loss"], rel=0.02 if "precision" in change else 1e-4)


def test_class_weights_weigh_the_loss(data, one_device, tmp_path):
    """A loss that counts the first class alone learns to answer nothing else."""
    settings = replace(SETTINGS, class_weight="1,1e-6", epochs=1, learning_rate=0.02)
    run(settings, data, tmp_path / "run", one_device)
    probabilities = predict(best_model(settings, data.facts, tmp_path / "run"), data.validation)
    assert probabilities[:, 0].mean() > 0.9


@pytest.mark.slow
def test_fine_tuning_begins_with_the_file_and_goes_on_without_it(data, one_device, tmp_path):
    """A frozen body stays, bit for bit; resuming and rebuilding need the file no more."""
    keras.utils.set_random_seed(0)
    net = keras.applications.VGG16(weights=None, include_top=False)
    net.save_weights(tmp_path / "vgg16.weights.h5")
    settings = replace(SETTINGS, architecture="vgg16", options={"dense": []}, freeze="body", epochs=2)
    settings = replace(settings, weights=str(tmp_path / "vgg16.weights.h5"))
    large = replace(data, facts=replace(data.facts, shape=(32, 32, 3)), train=doubled(data.train),
                    validation=doubled(data.validation))  # fmt: skip
    whole = run(settings, large, tmp_path / "whole", one_device)
    run(settings, large, tmp_path / "halves", one_device, stop_epoch=1)
    (tmp_path / "vgg16.weights.h5").unlink()
    rest = train(settings, large, tmp_path / "halves", strategy=one_device, start_from=tmp_path / "halves")
    assert rest.history == whole.history
    assert rest.trainable_parameters == 512 * 2 + 2
    model = best_model(settings, large.facts, tmp_path / "halves")
    loaded = model.get_weights()
    np.testing.assert_array_equal(loaded[0], net.get_weights()[0][:, :, ::-1])
    for found, expected in zip(loaded[1:26], net.get_weights()[1:], strict=True):
        np.testing.assert_array_equal(found, expected)


def doubled(split):
    return replace(split, images=split.images.repeat(2, 1).repeat(2, 2))


def test_patience_ends_a_run_that_gets_no_better(data, one_device, tmp_path):
    settings = replace(SETTINGS, learning_rate=1e-12, schedule="constant", epochs=20, patience=2)
    result = run(settings, data, tmp_path / "run", one_device)
    assert len(result.history["loss"]) == result.best_epoch + 2 < 20


@pytest.mark.parametrize(
    "change", [{}, {"learning_rate": 1e-12, "schedule": "constant", "epochs": 9, "patience": 1}]
)
def test_a_run_killed_after_its_last_epoch_is_not_trained_further(data, one_device, tmp_path, change):
    settings = replace(SETTINGS, **change)
    whole = run(settings, data, tmp_path / "run", one_device)
    again = train(settings, data, tmp_path / "run", strategy=one_device, start_from=tmp_path / "run")
    assert replace(again, seconds=0) == replace(whole, seconds=0)


def test_a_loss_that_is_not_finite_stops_the_run(data, one_device, tmp_path):
    settings = replace(SETTINGS, optimizer="sgd", learning_rate=1e30, schedule="constant")
    with pytest.raises(Diverged, match=r"nan|inf"):
        run(settings, data, tmp_path / "run", one_device)
    assert not list((tmp_path / "run").glob("*.npz"))


def test_a_batch_larger_than_the_data_is_refused_with_the_numbers(data, two_devices, tmp_path):
    with pytest.raises(InputError, match="a batch of 200 images does not fit the 192 training images"):
        run(replace(SETTINGS, batch_size=100), data, tmp_path / "run", two_devices)


def test_weights_that_are_not_there(data, tmp_path):
    with pytest.raises(InputError, match=r"best\.npz"):
        best_model(SETTINGS, data.facts, tmp_path)
