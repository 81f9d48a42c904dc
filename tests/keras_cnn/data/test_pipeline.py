"""Batches are a pure function of seed and epoch, and lose no image they should not."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cnn.data import pipeline
from keras_cnn.data.augmentation.augment import AUGMENTATIONS
from keras_cnn.data.dataset import Split
from keras_cnn.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
from keras_cnn.data.windows import Window
from keras_cnn.errors import InputError

EVERYTHING = {"augmentation": "+".join(AUGMENTATIONS), "label_smoothing": 0.1, "balanced": True}
WEIGHTS = (0.5, 2.0)


def numbered(count: int) -> Split:
    """Images whose label is their index."""
    random = np.random.default_rng(0)
    return Split(random.integers(0, 256, (count, 6, 8, 3), np.uint8), np.arange(count, dtype=np.int64))


def unequal(count: int) -> Split:
    """Like `numbered`, with three quarters of the images in class 0 and the rest in class 1."""
    split = numbered(count)
    return Split(split.images, (split.labels % 4 == 0).astype(np.int64))


def collect(dataset: tf.data.Dataset) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(images.numpy(), labels.numpy()) for images, labels in dataset]


@settings(deadline=None, max_examples=15)
@given(count=st.integers(1, 40), batch=st.integers(1, 40), seed=st.integers(0, 2**40))
def test_an_epoch_holds_each_image_at_most_once_with_its_label(count, batch, seed):
    split = numbered(count)
    if batch > count:
        with pytest.raises(InputError, match=f"batch of {batch} images does not fit the {count}"):
            training_batches(split, batch, epochs=1)
        return
    batches = collect(training_batches(split, batch, epochs=1, seed=seed))
    assert len(batches) == steps_per_epoch(split, batch) == count // batch
    labels = np.concatenate([labels for _, labels in batches])
    assert len(set(labels)) == len(labels) == count // batch * batch
    np.testing.assert_array_equal(np.concatenate([images for images, _ in batches]), split.images[labels])


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings_", [{"augmentation": "flip+crop"}, {"balanced": True}, EVERYTHING], ids=str
)
def test_continuing_at_an_epoch_gives_the_batches_of_an_uninterrupted_run(settings_):
    split, settings_ = unequal(20), {"epochs": 3, "seed": 5, "classes": 2, **settings_}
    whole = collect(training_batches(split, 6, **settings_))
    rest = collect(training_batches(split, 6, initial_epoch=2, **settings_))
    assert len(whole) == 9 and len(rest) == 3
    for (images, labels), (expected, expected_labels) in zip(rest, whole[6:], strict=True):
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(labels, expected_labels)


@pytest.mark.slow
def test_batches_do_not_depend_on_parallelism(monkeypatch):
    runs = []
    for parallel in (1, 4):
        monkeypatch.setattr(pipeline, "PARALLEL_BATCHES", parallel)
        runs.append(collect(training_batches(unequal(40), 8, epochs=2, classes=2, **EVERYTHING)))
    for (images, labels), (expected, expected_labels) in zip(*runs, strict=True):
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(labels, expected_labels)


def test_epochs_and_seeds_differ():
    split = numbered(64)
    orders = {
        (seed, epoch): tuple(
            collect(training_batches(split, 64, epochs=epoch + 1, initial_epoch=epoch, seed=seed))[0][1]
        )
        for seed in (0, 1, 2**31)
        for epoch in (0, 1)
    }
    assert len(set(orders.values())) == len(orders)


def test_augmentation_of_a_batch_position_differs_between_epochs():
    images = np.zeros((64, 6, 8, 3), np.uint8)
    images[:, :, 0] = 255  # so that a flip shows
    split = Split(images, np.arange(64, dtype=np.int64))
    batches = collect(training_batches(split, 64, epochs=2, seed=0, augmentation="flip"))
    first, second = (pixels[:, 0, 0, 0] == 255 for pixels, _ in batches)
    assert 0 < first.sum() < 64 and not np.array_equal(first, second)


@settings(deadline=None, max_examples=40)
@given(count=st.integers(1, 200), batch=st.integers(1, 64), replicas=st.integers(1, 8))
def test_evaluation_reads_every_image_once_and_fills_every_replica(count, batch, replicas):
    split = numbered(count)
    if count < 2 * replicas:
        with pytest.raises(InputError, match="too few"):
            evaluation_batches(split, batch * replicas, replicas=replicas)
        return
    labels = [labels for _, labels in collect(evaluation_batches(split, batch * replicas, replicas=replicas))]
    np.testing.assert_array_equal(np.concatenate(labels), np.arange(count))
    assert all(len(part) % replicas == 0 for part in labels[:-1])
    assert len(labels[-1]) >= replicas
    assert len(labels) == 1 or max(map(len, labels)) <= batch * replicas + replicas


def test_images_may_lie_on_disk(tmp_path):
    split = numbered(10)
    np.save(tmp_path / "images.npy", split.images)
    mapped = Split(np.load(tmp_path / "images.npy", mmap_mode="r"), split.labels)
    for (images, _), (expected, _) in zip(
        collect(training_batches(mapped, 5, epochs=1)),
        collect(training_batches(split, 5, epochs=1)),
        strict=True,
    ):
        np.testing.assert_array_equal(images, expected)


@pytest.mark.slow
@pytest.mark.parametrize("settings_", [{}, {"label_smoothing": 0.3}, {"balanced": True}, EVERYTHING], ids=str)
def test_two_replicas_get_the_halves_of_each_batch(settings_, two_devices):
    split = unequal(24)
    whole = collect(training_batches(split, 8, epochs=2, classes=24, **settings_))
    dataset = training_batches(split, 8, epochs=2, classes=24, **settings_)
    parts = [
        [np.concatenate(two_devices.experimental_local_results(values)) for values in batch]
        for batch in two_devices.experimental_distribute_dataset(dataset)
    ]
    assert len(parts) == len(whole) == 6
    for (images, labels), (expected, expected_labels) in zip(parts, whole, strict=True):
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(labels, expected_labels)


@settings(deadline=None, max_examples=10)
@given(smoothing=st.floats(0.01, 0.9), classes=st.integers(8, 12))
def test_training_batches_smooth_labels(smoothing, classes):
    split = numbered(8)
    dataset = training_batches(split, 8, epochs=1, label_smoothing=smoothing, classes=classes)
    assert dataset.element_spec[1] == tf.TensorSpec((8, classes), tf.float32)
    ((images, labels),) = collect(dataset)
    ((same, numbers),) = collect(training_batches(split, 8, epochs=1))
    np.testing.assert_array_equal(images, same)
    expected = np.eye(classes)[numbers] * (1 - smoothing) + smoothing / classes
    np.testing.assert_allclose(labels, expected, atol=1e-6)


def test_mixed_labels_are_smoothed_too():
    ((_, labels),) = collect(
        training_batches(numbered(8), 8, epochs=1, augmentation="mixup", label_smoothing=0.4, classes=8)
    )
    assert labels.dtype == np.float32
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-6)
    assert labels.min() >= 0.05 - 1e-6
    assert (labels > 0.05 + 1e-6).sum(1).max() == 2


@pytest.mark.parametrize("settings_", [{"augmentation": "flip+cutmix"}, {"label_smoothing": 0.1}], ids=str)
def test_soft_labels_need_the_number_of_classes(settings_):
    with pytest.raises(ValueError, match="soft labels: give `classes`"):
        training_batches(numbered(8), 8, epochs=1, **settings_)


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any), seed=st.integers(0, 2**40))
def test_balanced_batches_draw_all_classes_and_their_images_equally_often(counts, seed):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    split = Split(np.arange(len(labels), dtype=np.uint8)[:, None, None, None], labels.astype(np.int64))
    present = np.count_nonzero(counts)
    batches = collect(training_batches(split, 1, epochs=present, seed=seed, balanced=True))
    assert len(batches) == present * len(split)
    images, drawn = (np.concatenate(values).ravel() for values in zip(*batches, strict=True))
    np.testing.assert_array_equal(labels[images], drawn)
    for epoch in range(present):
        part = slice(epoch * len(split), (epoch + 1) * len(split))
        of_class = np.bincount(drawn[part], minlength=len(counts))[np.flatnonzero(counts)]
        assert np.ptp(of_class) <= 1
        of_image = np.bincount(images[part], minlength=len(split))
        assert all(np.ptp(of_image[labels == label]) <= 1 for label in set(labels))
    assert set(np.bincount(drawn, minlength=len(counts))) <= {0, len(split)}


def test_balanced_epochs_differ_and_mix_the_classes_within_a_batch():
    split = unequal(60)
    orders = [
        collect(training_batches(split, 60, epochs=epoch + 1, initial_epoch=epoch, balanced=True))[0][1]
        for epoch in (0, 1)
    ]
    assert not np.array_equal(*orders)
    assert all(len(set(order[:20])) > 1 and len(set(order[-20:])) > 1 for order in orders)


def test_class_weights_are_those_of_the_labels():
    for images, labels, weights in training_batches(unequal(20), 5, epochs=1, class_weight=WEIGHTS):
        assert images.shape[0] == 5
        np.testing.assert_array_equal(weights, np.take(WEIGHTS, labels))


def test_a_mixed_image_has_the_mean_of_the_weights_by_its_shares():
    settings_ = {"augmentation": "mixup", "classes": 2, "class_weight": WEIGHTS}
    soft = list(training_batches(unequal(20), 20, epochs=3, **settings_))
    smooth = list(training_batches(unequal(20), 20, epochs=3, label_smoothing=0.2, **settings_))
    for (_, shares, weights), (_, _, same) in zip(soft, smooth, strict=True):
        np.testing.assert_allclose(weights, shares.numpy() @ np.array(WEIGHTS), rtol=1e-6)
        np.testing.assert_array_equal(weights, same)  # smoothing is no other class
    assert any(((weights > 0.6) & (weights < 1.9)).numpy().any() for _, _, weights in soft)


def marked(count: int, height: int = 24, width: int = 20) -> Split:
    """Images of two tones, each its own mask, and in a second channel the image's number."""
    masks = np.random.default_rng(0).integers(0, 2, (count, height // 4, width // 4), np.uint8)
    masks = masks.repeat(4, axis=1).repeat(4, axis=2)
    numbers = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None], masks.shape)
    return Split(np.stack([masks * 255, numbers], axis=-1), masks)


@pytest.mark.parametrize("augmentation", ["none", "flip+crop+rotate90"])
@pytest.mark.parametrize(
    "window", [Window((8, 8), (8, 8)), Window((16, 12), (8, 8)), Window((24, 20), (24, 20))], ids=str
)
def test_windows_show_images_with_their_masks(window, augmentation):
    split = marked(5)
    steps = steps_per_epoch(split, 4, window)
    batches = collect(training_batches(split, 4, epochs=2, window=window, augmentation=augmentation))
    each = -(-24 // window.inner[0]) * -(-20 // window.inner[1])
    assert len(batches) == 2 * steps == 2 * (5 * each // 4)
    for images, masks in batches:
        assert images.shape == (4, *window.size, 2) and masks.shape == (4, *window.inner)
        np.testing.assert_array_equal(window.center(images)[..., 0] == 255, masks == 1)
    numbers = np.concatenate([images[:, 0, 0, 1] for images, _ in batches[:steps]])
    counts = np.bincount(numbers, minlength=5)
    assert counts.max() <= each and counts.sum() == 4 * steps


def test_windows_repeat_with_their_seed_and_go_on_at_any_epoch():
    window, options = (
        Window((8, 8), (8, 8)),
        {"augmentation": "flip+rotate", "window": Window((8, 8), (8, 8))},
    )
    split = marked(6)
    whole = collect(training_batches(split, 4, epochs=2, seed=3, **options))
    rest = collect(training_batches(split, 4, epochs=2, initial_epoch=1, seed=3, **options))
    steps = steps_per_epoch(split, 4, window)
    for (images, masks), (expected, expected_masks) in zip(rest, whole[steps:], strict=True):
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(masks, expected_masks)
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(whole, whole[steps:], strict=False))


def test_masks_may_be_smoothed_and_weighed():
    split, window = marked(4), Window((8, 8), (8, 8))
    [(images, shares, weights), *_] = training_batches(
        split, 4, epochs=1, window=window, label_smoothing=0.2, classes=2, class_weight=WEIGHTS
    )
    truth = window.center(images.numpy())[..., 0] == 255
    np.testing.assert_allclose(shares[..., 1], np.where(truth, 0.9, 0.1), rtol=1e-6)
    np.testing.assert_allclose(weights, np.where(truth, 2.0, 0.5), rtol=1e-6)
    [(images, masks, weights), *_] = training_batches(split, 4, epochs=1, window=window, class_weight=WEIGHTS)
    np.testing.assert_allclose(weights, np.array(WEIGHTS)[masks], rtol=1e-6)
    [(images, masks)] = evaluation_batches(split, 8)
    np.testing.assert_array_equal(masks, split.labels)
