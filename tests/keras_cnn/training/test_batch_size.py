"""The batch size that is used, or searched, if none is given."""

from dataclasses import replace

import pytest

from keras_cnn.data.dataset import DataFacts
from keras_cnn.training.batch_size import (
    batch_size_note,
    default_batch_size,
    searched_batch_sizes,
    searched_note,
)
from keras_cnn.training.config import TrainSettings

FACTS = DataFacts("x", (8, 8, 3), ("a", "b"), {"train": [0, 0]}, (1.0,) * 3, (1.0,) * 3)


def labels(images: int) -> DataFacts:
    return replace(FACTS, counts={"train": [images - images // 2, images // 2]})


def masks(images: int) -> DataFacts:
    return replace(FACTS, counts={"train": [images * 60, images * 4]}, task="segmentation")


@pytest.mark.parametrize(
    ("images", "size", "steps"),
    [
        *((45_000, 128, 351), (1294, 128, 10), (1279, 64, 19), (160, 16, 10), (108, 8, 13)),
        *((45, 4, 11), (20, 4, 5), (3, 2, 1), (1, 1, 1)),
    ],
)
def test_default_batch_size_leaves_ten_steps_an_epoch(images, size, steps):
    assert default_batch_size(labels(images)) == size
    assert images // size == steps


@pytest.mark.parametrize(("images", "size"), [(400, 4), (40, 4), (39, 2), (20, 2), (19, 1), (2, 1)])
def test_default_batch_size_of_masks_may_be_one(images, size):
    assert default_batch_size(masks(images)) == size


def test_default_batch_size_is_that_of_a_replica():
    assert default_batch_size(labels(320)) == 32
    assert default_batch_size(labels(320), replicas=2) == 16


def test_windows_count_as_images():
    """Ten images of 8x8 are forty windows of 4x4."""
    assert TrainSettings(crop_size=(4, 4)).resolved(masks(10)).batch_size == 4
    assert TrainSettings().resolved(masks(10)).batch_size == 1


def test_resolved_settings_hold_the_size_that_was_chosen_and_keep_one_that_was_given():
    assert TrainSettings().resolved(labels(108)).batch_size == 8
    assert TrainSettings().resolved(labels(108), replicas=2).batch_size == 4
    assert TrainSettings(batch_size=50).resolved(labels(108)).batch_size == 50


def test_note_names_steps_and_option_only_where_the_size_is_unusual():
    (note,) = batch_size_note(None, 8, labels(108))
    assert note == (
        "batch size 8, which makes 13 steps an epoch of 108 images (the usual 128 makes 0); --batch_size sets another"
    )
    assert "6 steps" in batch_size_note(None, 8, labels(108), replicas=2)[0]
    assert batch_size_note(8, 8, labels(108)) == batch_size_note(None, 128, labels(5000)) == []


@pytest.mark.parametrize(
    ("facts", "sizes"),
    [
        *(
            (labels(1294), (32, 64, 128)),
            (labels(700), (16, 32, 64)),
            (labels(108), (4, 8)),
            (labels(20), (4,)),
        ),
        *((masks(80), (2, 4, 8)), (masks(24), (1, 2)), (masks(3), (1,))),
    ],
)
def test_searched_batch_sizes_leave_ten_steps_an_epoch(facts, sizes):
    assert searched_batch_sizes(facts) == sizes


def test_note_on_searched_batch_sizes_only_where_they_are_unusual():
    assert searched_note((4, 8), labels(108)) == [
        "batch sizes searched: 4, 8, small for an epoch of 108 images; --batch_size sets one"
    ]
    assert searched_note((32, 64, 128), labels(5000)) == searched_note((2, 4, 8), masks(80)) == []
