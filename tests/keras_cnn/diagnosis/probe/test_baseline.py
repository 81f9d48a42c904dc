"""The linear baseline solves the normal equations of ridge regression, at any scale of the images."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_cnn.diagnosis.probe.baseline import RIDGE, classes_of_images, linear_baseline_score, small_pictures
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.score import explained_entropy


def digits(images: int = 1000, size: int = 8) -> tuple[np.ndarray, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    x = x[:images].reshape(-1, 8, 8, 1).astype("float32")
    return x.repeat(size // 8, 1).repeat(size // 8, 2), y[:images]


def test_linear_baseline_score_equals_the_normal_equations():
    sample = Sample(*digits(), 64)
    x, count = small_pictures(sample.x), len(sample) - sample.held_out
    strength = RIDGE * np.linalg.norm(x[:count] - x[:count].mean(axis=0), 2) ** 2
    x = (x - x[:count].mean(axis=0)).astype("float64")
    y = np.eye(10)[sample.y[:count]]
    gram = x[:count].T @ x[:count] + strength * np.eye(x.shape[1])
    kernel = np.linalg.solve(gram, x[:count].T @ (y - y.mean(axis=0)))
    wanted = explained_entropy(sample.y[count:], x[count:] @ kernel)
    assert 0.4 < wanted < 1 and linear_baseline_score(sample, 10) == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("change", [lambda x: 255 * x, lambda x: x / 1e5 - 3, lambda x: x.astype("uint8")])
def test_linear_baseline_score_pixel_scale_does_not_matter(change):
    x, y = digits(size=16)
    wanted = linear_baseline_score(Sample(x, y, 64), 10)
    assert linear_baseline_score(Sample(change(x), y, 64), 10) == pytest.approx(wanted, abs=1e-3)


def test_linear_baseline_score_uninformative_data_is_zero():
    x, y = digits()
    assert linear_baseline_score(Sample(x, np.random.default_rng(0).permutation(y), 64), 10) < 0.01
    assert linear_baseline_score(Sample(0 * x, y, 64), 10) == pytest.approx(0, abs=1e-6)


def test_linear_baseline_score_all_label_forms_are_equal():
    x, y = digits()
    wanted = linear_baseline_score(Sample(x, y, 64), 10)
    for form in (y[:, None], np.eye(10)[y], y.astype("float32")):
        assert linear_baseline_score(Sample(x, form, 64), 10) == pytest.approx(wanted)
    assert linear_baseline_score(Sample(x, y > 4, 64), 1) > 0.3


def test_linear_baseline_score_masks_and_vectors_are_nan():
    x, y = digits()
    masks = Sample(x, (x[..., 0] > 4).astype(int), 64)
    assert classes_of_images(masks, 2) is None
    for sample in (masks, Sample(x.reshape(len(x), -1), y, 64), Sample(x, y + 1, 64)):
        assert np.isnan(linear_baseline_score(sample, 10))
