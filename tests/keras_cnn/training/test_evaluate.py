"""Measured numbers equal scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

from keras_cnn.training.evaluate import calibration_error, measure


def test_measure_has_accuracy_interval_and_confusion():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([1, 1, 1], 200)
    labels = random.integers(0, 3, 200)
    measured = measure(probabilities, labels)
    predicted = probabilities.argmax(1)
    assert measured["accuracy"] == accuracy_score(labels, predicted)
    assert measured["loss"] == pytest.approx(log_loss(labels, probabilities))
    np.testing.assert_array_equal(measured["confusion"], confusion_matrix(labels, predicted))
    assert measured["images"] == 200


@pytest.mark.parametrize(("right", "low", "high"), [(0, 0, 0.278), (5, 0.237, 0.763), (10, 0.722, 1)])
def test_interval_is_wilsons(right, low, high):
    """Published values for n = 10 (Brown, Cai & DasGupta 2001)."""
    probabilities = np.eye(2)[(np.arange(10) >= right).astype(int)]
    assert measure(probabilities, np.zeros(10, int))["accuracy_interval"] == pytest.approx(
        [low, high], abs=1e-3
    )


def test_calibration_error_by_hand():
    """Two bins: 4 predictions of 0.9 of which 3 are right, 2 of 0.6 of which 2 are."""
    confidence, right = np.array([0.9] * 4 + [0.6] * 2), np.array([1, 1, 1, 0, 1, 1], bool)
    assert calibration_error(confidence, right) == pytest.approx((4 * 0.15 + 2 * 0.4) / 6)
    assert calibration_error(np.ones(3), np.ones(3, bool)) == 0


def test_honest_probabilities_are_calibrated():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([1, 1, 1], 20_000)
    labels = (probabilities.cumsum(axis=1) < random.uniform(size=(20_000, 1))).sum(axis=1)
    assert measure(probabilities, labels)["calibration_error"] < 0.02
    sure = np.eye(3)[probabilities.argmax(axis=1)]
    assert measure(sure, labels)["calibration_error"] > 0.3
