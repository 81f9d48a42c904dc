"""Equal and nearly equal images, within and across splits."""

import numpy as np
import pytest

from keras_cnn.data.dataset import Split
from keras_cnn.data.report.duplicates import exact_pairs, near_pairs
from keras_cnn.data.report.measure import measure_split, shrunk
from keras_cnn.data.value_range import PIXELS


def photos(count: int, seed: int = 0) -> np.ndarray:
    """Smooth noise, as photos are, uint8 (count, 32, 32, 3)."""
    coarse = np.random.default_rng(seed).uniform(20, 235, (count, 8, 8, 3))
    return np.repeat(np.repeat(coarse, 4, axis=1), 4, axis=2).astype(np.uint8)


def split_of(images: np.ndarray) -> Split:
    return Split(images, np.zeros(len(images), np.int64))


def near_of(**images: np.ndarray) -> list:
    splits = {name: split_of(one) for name, one in images.items()}
    measured = {name: measure_split(one, PIXELS) for name, one in splits.items()}
    return near_pairs(measured, exact_pairs(splits))


def test_exact_pairs_are_images_of_the_same_pixels_with_the_first_of_them():
    train, test = photos(5), photos(3, seed=1)
    train[4], test[1] = train[1], train[1]
    found = exact_pairs({"train": split_of(train), "test": split_of(test)})
    assert [(pair.first, pair.second) for pair in found] == [
        (("train", 1), ("train", 4)),
        (("train", 1), ("test", 1)),
    ]
    assert [pair.across for pair in found] == [False, True]


def test_near_pairs_are_images_that_were_compressed_or_lit_anew():
    train, test = photos(200), photos(100, seed=1)
    noise = np.random.default_rng(2).normal(0, 3, train[0].shape)
    test[7] = np.clip(train[3] + noise, 0, 255)
    test[9] = train[5] // 5 * 4 + 20  # less contrast, and brighter
    assert {(pair.first, pair.second) for pair in near_of(train=train, test=test)} == {
        (("train", 3), ("test", 7)),
        (("train", 5), ("test", 9)),
    }


def test_near_pairs_leave_out_equal_ones_flat_ones_and_drawings():
    images = np.full((20, 32, 32, 3), 200, np.uint8)
    images[:10, 12:20, 12:20] = np.arange(10)[:, None, None, None]  # a dark square on an even ground
    images[10:] += np.arange(10, dtype=np.uint8)[:, None, None, None]
    equal = photos(2)
    equal[1] = equal[0]
    assert near_of(train=images, test=equal) == []


@pytest.mark.parametrize("side", [5, 16, 33, 64])
def test_shrunk_has_the_means_of_fields(side):
    gray = np.random.default_rng(0).uniform(0, 255, (2, side, side)).astype(np.float32)
    small = shrunk(gray)
    assert small.shape == (2, 16, 16) and small.min() >= gray.min() and small.max() <= gray.max()
    if side == 64:
        np.testing.assert_allclose(small[0, 0, 0], gray[0, :4, :4].mean(), rtol=1e-5)


def test_measure_split_finds_images_of_nearly_one_color():
    images = photos(4)
    images[2] = [10, 200, 30]
    measured = measure_split(split_of(images), PIXELS)
    assert measured.flat.tolist() == [2] and measured.brightness[2] == pytest.approx(80)
    np.testing.assert_allclose(measured.brightness, images.mean(axis=(1, 2, 3)), rtol=1e-4)
