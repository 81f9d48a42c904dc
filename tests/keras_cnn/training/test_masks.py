"""Segmentation from training to measuring: on two devices, in windows, resumed, with every loss."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import jaccard_score

from keras_cnn.data.dataset import Split
from keras_cnn.data.windows import cut
from keras_cnn.errors import InputError
from keras_cnn.task import SEGMENTATION
from keras_cnn.training.compile import LOSS_FUNCTIONS
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.evaluate import window_of
from keras_cnn.training.evaluate_masks import measure_masks, predict_mask
from keras_cnn.training.make_model import best_model, make_model
from keras_cnn.training.train import batches_of, train_epochs

SETTINGS = TrainSettings(
    architecture="unet",
    options={"depth": 1, "convolutions": 1, "width": 4},
    crop_size=(16, 16),
    batch_size=4,
    epochs=2,
    precision="float32",
    augmentation="flip+rotate90",
)


def run(settings, data, directory, strategy, **arguments):
    directory.mkdir()
    return train_epochs(settings, data, directory, strategy=strategy, **arguments)


@pytest.mark.parametrize("loss", SEGMENTATION.losses[1:])
def test_compile_model_with_every_loss_computes_it(loss, mask_data):
    model, _, _ = make_model(replace(SETTINGS, loss=loss), mask_data, tf.distribute.get_strategy())
    labels = tf.constant(mask_data.train.labels[:2, :16, :16])
    predicted = model(mask_data.train.images[:2, :16, :16])
    expected = np.mean(LOSS_FUNCTIONS[loss](labels, predicted))
    assert float(model.compute_loss(y=labels, y_pred=predicted)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_train_with_masks_on_two_devices_learns_and_keeps_the_best(mask_data, two_devices, tmp_path):
    """Of this loss; the tests below take the usual one."""
    settings = replace(SETTINGS, loss="cross_entropy+dice", batch_size=2, epochs=4, learning_rate=0.01)
    result = run(settings, mask_data, tmp_path / "run", two_devices)
    assert result.score > 0.75
    model = best_model(settings, mask_data.facts, tmp_path / "run")
    windows = cut(mask_data.validation, window_of(model))
    guess = model.predict(windows.images, verbose=0).argmax(axis=-1)
    expected = jaccard_score(windows.labels.ravel(), guess.ravel(), average="macro")
    assert result.score == pytest.approx(expected, abs=1e-5)
    assert result.score == max(result.history["val_mean_iou"])
    names = {"accuracy", "mean_iou", "iou_sky", "iou_disc", "dice_sky", "dice_disc"}
    assert names | {f"val_{name}" for name in names} < set(result.history)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_train_with_whole_masks_measures_its_best_weights(precision, mask_data, one_device, tmp_path):
    settings = replace(SETTINGS, crop_size=None, precision=precision)
    result = run(settings, mask_data, tmp_path / "run", one_device)
    model = best_model(settings, mask_data.facts, tmp_path / "run")
    measured, quality = measure_masks(
        lambda image: predict_mask(model, image), mask_data.validation, mask_data.facts.classes
    )
    tolerance = 1e-5 if precision == "float32" else 0.01
    assert measured["mean_iou"] == pytest.approx(result.score, abs=tolerance)
    assert measured["loss"] == pytest.approx(result.loss, rel=max(1e-3, tolerance))
    assert measured["accuracy"] == pytest.approx(
        np.trace(measured["confusion"]) / np.sum(measured["confusion"])
    )
    low, high = measured["mean_iou_interval"]
    assert min(quality) <= low <= measured["mean_iou"] <= high <= 1 and len(quality) == 6


@pytest.mark.slow
def test_train_with_masks_resumed_equals_an_uninterrupted_run(mask_data, one_device, tmp_path):
    """With turns, dropout, weighed classes and smoothed labels."""
    settings = replace(SETTINGS, dropout=0.2, class_weight="balanced", label_smoothing=0.1)
    whole = run(settings, mask_data, tmp_path / "whole", one_device)
    run(settings, mask_data, tmp_path / "rest", one_device, stop_epoch=1)
    rest = train_epochs(
        settings, mask_data, tmp_path / "rest", strategy=one_device, start_from=tmp_path / "rest"
    )
    assert rest.history == whole.history and np.isfinite(rest.loss)
    for name in ("best.npz", "checkpoint.npz"):
        with np.load(tmp_path / "whole" / name) as expected, np.load(tmp_path / "rest" / name) as found:
            for array in expected.files:
                np.testing.assert_array_equal(expected[array], found[array], err_msg=array)


@pytest.mark.slow
def test_predict_mask_of_a_large_image_has_no_seams(mask_data):
    model, _, _ = make_model(SETTINGS, mask_data, tf.distribute.get_strategy())
    windows = cut(mask_data.train, window_of(model))
    for start in (*range(0, len(windows), 4), *range(0, len(windows), 4)):
        model.train_on_batch(windows.images[start : start + 4], windows.labels[start : start + 4])
    large = np.tile(mask_data.train.images[0], (3, 2, 1))[:61, :50]
    found = predict_mask(model, large)
    assert found.shape == (61, 50, 2)
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-5)
    # the image repeats itself every 24 rows, and so, far from its borders, does what is made of it
    assert np.mean(found[16:24].argmax(-1) == found[40:48].argmax(-1)) > 0.95


def test_measure_masks_interval_covers_95_percent_of_resampled_images():
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, (40, 8, 8))
    wrong = random.random(truth.shape) < random.uniform(0, 0.6, (40, 1, 1))
    guesses = np.where(wrong, 1 - truth, truth)
    answers = iter(np.eye(2)[guesses])
    measured, _ = measure_masks(lambda image: next(answers), Split(truth[..., None], truth), ("a", "b"))

    drawn = random.integers(0, 40, (2000, 40))
    of_class = np.stack([(truth == one, guesses == one) for one in (0, 1)])  # (2, 2, images, H, W)
    both, either = of_class.all(axis=1).sum((2, 3)), of_class.any(axis=1).sum((2, 3))
    resampled = (both[:, drawn].sum(-1) / either[:, drawn].sum(-1)).mean(axis=0)
    low, high = measured["mean_iou_interval"]
    assert 0.935 < np.mean((low <= resampled) & (resampled <= high)) < 0.965


@pytest.mark.slow
def test_published_unet_learns_and_predicts_the_center_of_its_windows(mask_data):
    settings = replace(SETTINGS, architecture="unet_paper", options={}, crop_size=(188, 188), batch_size=1)
    settings = replace(settings, optimizer="sgd")
    split = mask_data.train
    corner = replace(split, images=split.images[:1, :8, :8], labels=split.labels[:1, :8, :8])  # four windows
    small = replace(mask_data, train=corner, validation=corner)
    model, batch_size, steps = make_model(settings, small, tf.distribute.get_strategy())
    window = window_of(model)
    assert window.inner == (4, 4) and steps == len(cut(corner, window)) == 4
    batches = batches_of(settings, corner, mask_data.facts, batch_size, window, epochs=1)
    assert np.isfinite(model.train_on_batch(*next(iter(batches)))).all()
    assert predict_mask(model, corner.images[0][:6, :3]).shape == (6, 3, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop_size": (30, 30), "options": {"depth": 2, "width": 4}}, "nearest are 28 and 32"),
        ({"crop_size": (64, 64)}, "smaller than the 64 x 64"),
        ({"architecture": "vgg"}, "'vgg' is for classification, but discs is for segmentation.*unet"),
        ({"batch_size": 100}, "a batch of 100 windows does not fit the 96"),
    ],
)
def test_train_with_windows_or_batches_that_do_not_fit_is_refused(
    change, message, mask_data, one_device, tmp_path
):
    with pytest.raises(InputError, match=message):
        run(replace(SETTINGS, **change), mask_data, tmp_path / "run", one_device)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"augmentation": "mixup"}, "'mixup' does not go with masks"),
        ({"balanced": True}, "class_weight balanced"),
        ({"loss": "dice", "class_weight": "balanced"}, "Dice already gives all classes the same weight"),
    ],
)
def test_settings_without_meaning_for_masks_are_refused(change, message, mask_data):
    with pytest.raises(InputError, match=message):
        replace(SETTINGS, **change).resolved(mask_data.facts)


@pytest.mark.parametrize("change", [{"crop_size": (8, 8)}, {"loss": "dice"}, {"architecture": "unet"}])
def test_settings_without_meaning_for_single_labels_are_refused(change, data):
    with pytest.raises(InputError, match="classification"):
        TrainSettings(**change).resolved(data.facts).model_spec(data.facts)


def test_settings_left_open_depend_on_the_task(data, mask_data):
    labels, masks = (TrainSettings().resolved(facts) for facts in (data.facts, mask_data.facts))
    assert (labels.batch_size, labels.label_smoothing) == (16, 0.1)
    assert (masks.batch_size, masks.label_smoothing) == (2, 0.0)
    assert TrainSettings(batch_size=7, label_smoothing=0.3).resolved(mask_data.facts).batch_size == 7
