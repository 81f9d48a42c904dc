"""IoU and Dice are those of scikit-learn, exact whatever the batches, devices and number of pixels."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, jaccard_score

from keras_cnn.training.metrics import SegmentationScores, count, scores

NAMES = ("a", "b", "c")


def some_masks(seed: int, classes: int, count: int = 5, side: int = 6):
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, (count, side, side)).astype(np.uint8)
    return truth, random.dirichlet(np.ones(3), (count, side, side)).astype(np.float32)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), classes=st.integers(1, 3), batch=st.integers(1, 5))
def test_scores_are_those_of_scikit_learn(seed, classes, batch):
    truth, probabilities = some_masks(seed, classes)
    guess = probabilities.argmax(-1)
    metric = SegmentationScores(NAMES)
    for start in range(0, len(truth), batch):
        metric.update_state(truth[start : start + batch], probabilities[start : start + batch])
    found = {name: float(value) for name, value in metric.result().items()}
    labels = range(3)
    iou = jaccard_score(truth.ravel(), guess.ravel(), labels=labels, average=None, zero_division=1)
    dice = f1_score(truth.ravel(), guess.ravel(), labels=labels, average=None, zero_division=1)
    for index, name in enumerate(NAMES):
        assert found[f"iou_{name}"] == pytest.approx(iou[index], abs=1e-6)
        assert found[f"dice_{name}"] == pytest.approx(dice[index], abs=1e-6)
    present = [index in {*truth.ravel(), *guess.ravel()} for index in labels]
    assert found["mean_iou"] == pytest.approx(iou[present].mean(), abs=1e-6)
    confusion = np.array(count(truth, probabilities, 3))
    assert scores(confusion, NAMES)["mean_iou"] == pytest.approx(found["mean_iou"], abs=1e-6)
    assert confusion.sum() == truth.size


def test_a_class_that_is_nowhere_is_perfect_and_left_out_of_the_mean():
    found = scores(np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]]), NAMES)
    assert found["iou"] == {"a": 3 / 4, "b": 2 / 3, "c": 1.0}
    assert found["mean_iou"] == pytest.approx((3 / 4 + 2 / 3) / 2)


def test_distributions_count_as_their_largest_share():
    truth, probabilities = some_masks(0, 3)
    shares = 0.8 * np.eye(3)[truth] + 0.2 / 3
    np.testing.assert_array_equal(count(shares, probabilities, 3), count(truth, probabilities, 3))


def test_billions_of_pixels_are_counted():
    """In float32 a sum of ones stands still at 16,777,216."""
    metric = SegmentationScores(("a", "b"))
    metric.confusion.assign(np.array([[2.0**31, 0], [0, 2.0**31]]))
    metric.update_state(np.ones((1, 1, 1), np.uint8), np.array([[[[0.9, 0.1]]]]))
    np.testing.assert_array_equal(metric.confusion, [[2.0**31, 0], [1, 2.0**31]])


def test_two_devices_count_together(two_devices):
    truth, probabilities = some_masks(1, 3, count=8)
    with two_devices.scope():
        inputs = keras.Input((6, 6, 3))
        model = keras.Model(inputs, keras.layers.Activation("linear", dtype="float32")(inputs))
        model.compile(loss="sparse_categorical_crossentropy", metrics=[SegmentationScores(NAMES)])
    batches = tf.data.Dataset.from_tensor_slices((probabilities, truth)).batch(4)
    found = model.evaluate(batches, verbose=0, return_dict=True)
    expected = scores(np.array(count(truth, probabilities, 3)), NAMES)
    assert found["mean_iou"] == pytest.approx(expected["mean_iou"], abs=1e-6)
    assert found["dice_b"] == pytest.approx(expected["dice"]["b"], abs=1e-6)


def test_it_is_rebuilt_from_its_config():
    metric = SegmentationScores(NAMES)
    assert set(SegmentationScores.from_config(metric.get_config()).result()) == set(metric.result())
