"""Labels that are rows of numbers: several labels an image, and values for regression."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.describe import describe
from keras_cnn.data.sources import load
from keras_cnn.errors import InputError

RANDOM = np.random.default_rng(0)
X = RANDOM.random((60, 6, 5)).astype("float32")
SEVERAL = RANDOM.integers(0, 2, (60, 3))
VALUES = RANDOM.normal(50, 20, (60, 2))
ONE_HOT = np.eye(3, dtype=int)[RANDOM.integers(0, 3, 60)]
NAMES = ["cat", "dog", "bird"]


def joined(data) -> np.ndarray:
    return np.concatenate([data.train.labels, data.validation.labels, data.load_test().labels])


def by_row(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("kind", [int, bool, float, np.uint8])
def test_load_of_rows_of_0_and_1_finds_several_labels_an_image(kind):
    data = load((X, SEVERAL.astype(kind)), class_names=NAMES)
    assert (data.facts.task, data.facts.classes) == ("multi_label", tuple(NAMES))
    assert data.train.labels.dtype == np.float32
    np.testing.assert_array_equal(by_row(joined(data)), by_row(SEVERAL))
    assert data.facts.counts["train"] == data.train.labels.sum(axis=0).tolist()
    assert [data.facts.images(split) for split in ("train", "validation", "test")] == [43, 5, 12]
    odd = int((SEVERAL.sum(axis=1) != 1).sum())
    assert (
        f"{odd} of 60 rows of the labels have not exactly one 1: they are taken for multi_label"
        in data.facts.notes
    )
    assert DataFacts.from_dict(data.facts.to_dict()) == data.facts


@pytest.mark.parametrize(
    ("values", "task", "names"),
    [
        (VALUES, None, ("value0", "value1")),
        (VALUES[:, 0], None, ("value",)),
        (VALUES[:, :1], None, ("value",)),
        (np.rint(VALUES), "regression", ("value0", "value1")),
        (ONE_HOT, "regression", ("value0", "value1", "value2")),
        (ONE_HOT, "multi_label", ("0", "1", "2")),
        (list(VALUES[:, 0]), None, ("value",)),
    ],
)
def test_load_of_values_keeps_them_as_rows(values, task, names):
    data = load((X, values), task=task)
    assert (data.facts.task, data.facts.classes) == (task or "regression", names)
    expected = np.asarray(values, np.float32).reshape(60, -1)
    np.testing.assert_array_equal(by_row(joined(data)), by_row(expected))
    assert data.load_arguments["task"] == task
    assert data.facts.images("train") == len(data.train) == 43


def test_load_of_rows_with_a_single_1_is_of_single_labels():
    data = load((X, ONE_HOT))
    assert data.facts.task == "classification" and data.train.labels.ndim == 1 and not data.facts.sizes


def test_load_takes_a_mirrored_image_to_change_values_and_unnamed_labels():
    found = [
        load((X, y), class_names=names).facts
        for y, names in ((VALUES, None), (SEVERAL, None), (SEVERAL, NAMES))
    ]
    assert [facts.flip_invariant for facts in found] == [False, False, True]


def test_load_of_batches_of_gray_images_with_rows_equals_arrays():
    batches = tf.data.Dataset.from_tensor_slices((X, SEVERAL)).batch(7)
    found, expected = load(batches), load((X, SEVERAL))
    assert found.facts == expected.facts
    np.testing.assert_array_equal(found.train.labels, expected.train.labels)


def test_describe_names_labels_and_values():
    assert "arrays: multi_label, 3 labels, images 6x5x1" in describe(load((X, SEVERAL)).facts)
    assert "arrays: regression, 2 values, images 6x5x1" in describe(load((X, VALUES)).facts)


def with_value(value: float) -> np.ndarray:
    values = VALUES.copy()
    values[[7, 9], 1] = value
    return values


SHARES = RANDOM.dirichlet(np.ones(3), 60)


@pytest.mark.parametrize(
    ("y", "arguments", "message"),
    [
        (
            with_value(np.nan),
            {},
            "2 of 60 train labels are NaN, infinite or too large .* the first is number 7",
        ),
        (with_value(1e39), {}, "2 of 60 train labels are NaN, infinite or too large for float32"),
        (SHARES, {}, r"rows of the labels sum to 1, as probabilities of 3 classes do: .*y.argmax\(axis=1\)"),
        (VALUES, {"task": "multi_label"}, "labels hold .*: multi_label takes rows of 0 and 1"),
        (
            SEVERAL[:, 0],
            {"task": "multi_label"},
            "have one column: multi_label takes a column .* for each of two",
        ),
        (SEVERAL, {"task": "classification"}, r"of shape \(60, 3\) are no one-hot rows.*task='multi_label'"),
        (VALUES[:, 0], {"task": "classification"}, "whole numbers or strings; task='regression' takes any"),
        (
            ONE_HOT,
            {"task": "segmentation"},
            "task='segmentation' does not fit the labels, .* of classification",
        ),
        (["a"] * 60, {"task": "regression"}, r"of type <U1 and shape \(60,\): regression takes numbers"),
        (SEVERAL, {"task": "regresion"}, "unknown task 'regresion'. Did you mean 'regression'"),
        (SEVERAL, {"class_names": ["a", "b"]}, "class_names has 2 names, the labels 3 columns"),
        (np.full(60, 0.5), {}, r"all train labels of 'arrays' are \[\[0.5\]\]: nothing can be learned"),
    ],
)
def test_load_refuses_rows_in_one_line(y, arguments, message):
    with pytest.raises(InputError, match=message) as error:
        load((X, y), **arguments)
    assert "\n" not in str(error.value)


def test_load_refuses_splits_of_other_columns():
    with pytest.raises(InputError, match="the validation labels have 1 columns, those of train 2"):
        load(((X, VALUES), (X, VALUES[:, 0])), task="regression")


def test_load_of_a_name_refuses_a_task_that_its_labels_are_not_of():
    with pytest.raises(
        InputError, match=r"task='regression' does not fit 'digits', .* of classification: leave it out"
    ):
        load("digits", task="regression")
    assert load("digits", task="classification").facts.task == "classification"
