"""Mixed images and labels have the same shares, whatever the batch."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, kstest

from keras_cnn.data.augmentation.mix import MIXES, mix

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]))


def mixed(name: str, images: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Every image has a class of its own, so the labels tell the shares."""
    labels = tf.eye(len(images))
    images, labels = mix(tf.constant(images), labels, (name,), tf.constant([1, seed]))
    assert images.dtype == tf.uint8 and labels.dtype == tf.float32
    return images.numpy(), labels.numpy()


@pytest.mark.parametrize("name", MIXES)
def test_mixing_repeats_with_its_seed(name):
    images = np.random.default_rng(0).integers(0, 256, (16, 9, 7, 3), np.uint8)
    first, again, other = (mixed(name, images, seed) for seed in (2, 2, 3))
    for values, same, others in zip(first, again, other, strict=True):
        assert np.array_equal(values, same) and not np.array_equal(values, others)


@settings(deadline=None, max_examples=25)
@given(shape=SHAPES, seed=st.integers(0, 2**30))
def test_mixup_shares_of_pixels_and_labels_are_equal(shape, seed):
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    result, labels = mixed("mixup", images, seed)
    share = np.diag(labels)[:, None, None, None]
    partner = np.roll(images, -1, axis=0)
    assert result.shape == shape and np.all((labels >= 0) & (share[:, 0, 0] >= 0.5))
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(result, share * images + (1 - share) * partner, atol=0.501)


def test_mixup_draws_its_shares_from_the_beta_distribution():
    _, labels = mixed("mixup", np.zeros((2000, 1, 1, 1), np.uint8), 0)
    folded = kstest(np.diag(labels), lambda share: 2 * beta(0.2, 0.2).cdf(share) - 1)
    assert folded.pvalue > 0.01


@settings(deadline=None, max_examples=25)
@given(shape=SHAPES, seed=st.integers(0, 2**30))
def test_cutmix_labels_share_as_the_pixels_do(shape, seed):
    count = shape[0]
    images = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], shape)
    result, labels = mixed("cutmix", images, seed)
    assert result.shape == shape
    shares = np.stack([(result == label).mean((1, 2, 3)) for label in range(count)], 1)
    np.testing.assert_allclose(labels, shares, atol=1e-6)
    for pasted in (result != images).any(-1):  # a rectangle is the product of its shadows on the sides
        np.testing.assert_array_equal(pasted, pasted.any(1)[:, None] & pasted.any(0)[None, :])


def test_cutmix_rectangles_have_the_proportions_of_the_image_and_any_area():
    images = np.broadcast_to(np.arange(250, dtype=np.uint8)[:, None, None, None], (250, 16, 32, 1))
    result, labels = mixed("cutmix", images, 0)
    pasted = (result != images)[..., 0]
    inside = ~(pasted[:, [0, -1]].any((1, 2)) | pasted[:, :, [0, -1]].any((1, 2))) & pasted.any((1, 2))
    heights, widths = (pasted[inside].any(axis).sum(1) for axis in (2, 1))
    assert inside.sum() > 10 and np.all(np.abs(widths - 2 * heights) <= 1)
    shares = np.diag(labels)
    assert shares.min() < 0.15 and shares.max() > 0.95 and 0.5 < shares.mean() < 0.75


def test_mixing_twice_leaves_distributions():
    images = tf.zeros((8, 4, 4, 1), tf.uint8)
    _, labels = mix(images, tf.eye(8), ("mixup", "cutmix"), tf.constant([0, 0]))
    np.testing.assert_allclose(labels.numpy().sum(1), 1, atol=1e-6)


@pytest.mark.parametrize("name", MIXES)
def test_mixing_of_floats_equals_that_of_pixels_but_for_rounding(name):
    images = np.random.default_rng(0).integers(0, 256, (16, 9, 7, 3), np.uint8)
    expected, labels = mixed(name, images, 2)
    floats = tf.constant(images / 255 - 0.5, tf.float32)
    found, same = mix(floats, tf.eye(16), (name,), tf.constant([1, 2]))
    np.testing.assert_array_equal(same, labels)
    np.testing.assert_allclose(found, expected / 255.0 - 0.5, atol=0.51 / 255)
