"""Batches are a pure function of seed and epoch, and lose no image they should not."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cnn.data.augment import AUGMENTATIONS, augment, parse_augmentation
from keras_cnn.data.facts import Split
from keras_cnn.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
from keras_cnn.errors import InputError


def numbered(count: int) -> Split:
    """Images whose label is their index."""
    random = np.random.default_rng(0)
    return Split(random.integers(0, 256, (count, 6, 8, 3), np.uint8), np.arange(count, dtype=np.int64))


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


def test_continuing_at_an_epoch_gives_the_batches_of_an_uninterrupted_run():
    split, settings_ = numbered(20), {"epochs": 3, "seed": 5, "augmentation": "flip+crop"}
    whole = collect(training_batches(split, 6, **settings_))
    rest = collect(training_batches(split, 6, initial_epoch=2, **settings_))
    assert len(whole) == 9 and len(rest) == 3
    for (images, labels), (expected, expected_labels) in zip(rest, whole[6:], strict=True):
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


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentation_keeps_shape_and_type_and_repeats_with_its_seed(name):
    images = tf.constant(numbered(32).images)
    first, again, other = (augment(images, (name,), tf.constant([1, seed])) for seed in (2, 2, 3))
    assert first.shape == images.shape and first.dtype == tf.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, images)


def test_flip_mirrors_about_half_of_the_images():
    images = numbered(400).images
    flipped = np.asarray(augment(tf.constant(images), ("flip",), tf.constant([0, 0])))
    mirrored = [np.array_equal(new, old[:, ::-1]) for new, old in zip(flipped, images, strict=True)]
    kept = [np.array_equal(new, old) for new, old in zip(flipped, images, strict=True)]
    assert sum(mirrored) + sum(kept) == 400
    assert 140 < sum(mirrored) < 260


def test_crop_shifts_by_at_most_an_eighth():
    image = np.zeros((1, 16, 16, 1), np.uint8)
    image[0, 8, 8] = 255
    places = set()
    for seed in range(60):
        shifted = np.asarray(augment(tf.constant(image), ("crop",), tf.constant([0, seed])))
        (where,) = np.argwhere(shifted[0, :, :, 0])
        places.add(tuple(where - 8))
    assert {shift for place in places for shift in place} == {-2, -1, 0, 1, 2}


def test_augmentation_names():
    assert parse_augmentation("none") == ()
    assert parse_augmentation("flip+crop") == ("flip", "crop")
    with pytest.raises(InputError, match=r"'flop'. Did you mean 'flip'\? There is: crop, flip, none"):
        parse_augmentation("flop")
