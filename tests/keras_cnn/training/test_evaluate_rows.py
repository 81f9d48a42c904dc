"""What is measured of several labels and of values equals scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from keras_cnn.training.evaluate import summary
from keras_cnn.training.evaluate_labels import average_precisions, measure_labels
from keras_cnn.training.evaluate_values import measure_values

RANDOM = np.random.default_rng(0)
NAMES = ("a", "b", "c")


@pytest.fixture
def labels() -> tuple[np.ndarray, np.ndarray]:
    """(probabilities with ties, truth), (80, 3)."""
    truth = RANDOM.integers(0, 2, (80, 3)).astype("float32")
    return np.round(np.clip(0.3 * truth + 0.7 * RANDOM.random((80, 3)), 0, 1), 1).astype("float32"), truth


def test_measure_labels_equals_scikit_learn(labels):
    probabilities, truth = labels
    found = measure_labels(probabilities, truth, NAMES)
    expected = metrics.average_precision_score(truth, probabilities, average=None)
    assert list(found["average_precision"].values()) == pytest.approx(list(expected))
    assert found["mean_average_precision"] == pytest.approx(expected.mean())
    precision, recall, _, support = metrics.precision_recall_fscore_support(truth, probabilities >= 0.5)
    assert list(found["precision"].values()) == pytest.approx(list(precision))
    assert list(found["recall"].values()) == pytest.approx(list(recall))
    assert found["support"] == dict(zip(NAMES, support.tolist(), strict=True))
    assert found["exact_match"] == metrics.accuracy_score(truth, probabilities >= 0.5)
    clipped = np.clip(probabilities, 0.05, 0.95)
    expected_loss = metrics.log_loss(truth.ravel(), clipped.ravel())
    assert measure_labels(clipped, truth, NAMES)["loss"] == pytest.approx(expected_loss, rel=1e-5)
    low, high = found["mean_average_precision_interval"]
    assert low < found["mean_average_precision"] < high < low + 0.3


def test_average_precisions_of_images_drawn_twice_equal_those_of_copies(labels):
    probabilities, truth = labels
    weights = RANDOM.integers(0, 3, (1, 80))
    copies = np.repeat(np.arange(80), weights[0])
    expected = metrics.average_precision_score(truth[copies], probabilities[copies], average=None)
    np.testing.assert_allclose(average_precisions(probabilities, truth > 0, weights)[0], expected)


def test_measure_labels_leaves_a_label_without_images_out_of_the_mean(labels):
    probabilities, truth = labels
    truth[:, 1] = 0
    found = measure_labels(probabilities, truth, NAMES)
    assert found["average_precision"]["b"] is None and found["support"]["b"] == 0 == found["recall"]["b"]
    rest = [found["average_precision"][name] for name in "ac"]
    assert found["mean_average_precision"] == pytest.approx(np.mean(rest))


def test_measure_values_equals_scikit_learn():
    truth = RANDOM.normal(40, 10, (80, 3)).astype("float32")
    predicted = (truth + RANDOM.normal(1, 3, (80, 3))).astype("float32")
    found = measure_values(predicted, truth, NAMES)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(truth, predicted))
    assert found["rmse"] == pytest.approx(metrics.mean_squared_error(truth, predicted) ** 0.5)
    assert found["r2"] == pytest.approx(metrics.r2_score(truth, predicted))
    each = metrics.mean_absolute_error(truth, predicted, multioutput="raw_values")
    assert [one["mae"] for one in found["by_value"].values()] == pytest.approx(list(each))
    of_images = np.abs(predicted - truth).mean(axis=1)
    margin = 1.96 * of_images.std(ddof=1) / 80**0.5
    assert found["mae_interval"] == pytest.approx(
        [of_images.mean() - margin, of_images.mean() + margin], rel=1e-5
    )
    assert summary(found).startswith(f"test mae {found['mae']:.4g} (95 % interval")


def test_measure_values_of_a_constant_is_1_where_it_is_met_and_0_elsewhere():
    truth = np.full((5, 2), 3.0)
    found = measure_values(truth + np.array([0, 1]), truth, ("met", "missed"))
    assert [found["by_value"][name]["r2"] for name in ("met", "missed")] == [1, 0]
