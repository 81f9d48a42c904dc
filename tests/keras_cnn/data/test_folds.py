"""Folds of the training and validation images."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import KFold, StratifiedKFold

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.folds import ALL, check_folds, facts_of_folds, fold_of, notes_of_folds
from keras_cnn.data.pixel_statistics import mean_and_variance
from keras_cnn.data.sources import load
from keras_cnn.data.splits import few_to_validate
from keras_cnn.errors import InputError
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import Run


def together(data, name: str) -> np.ndarray:
    return np.concatenate([getattr(data.train, name), getattr(data.validation, name)])


def untouched(data):
    return replace(
        data, load_test=lambda: pytest.fail("the test split was read"), load_arguments={"split_seed": 7}
    )


@pytest.mark.parametrize("kind", ["data", "mask_data"])
def test_folds_are_those_of_scikit_learn_with_the_seed_of_the_split(kind, request):
    data = untouched(request.getfixturevalue(kind))
    images, labels = together(data, "images"), together(data, "labels")
    splitter = (StratifiedKFold if kind == "data" else KFold)(5, shuffle=True, random_state=7)
    expected = splitter.split(images, labels if kind == "data" else None)
    for number, (kept, held) in enumerate(expected, start=1):
        found = fold_of(data, (number, 5))
        for split, rows in ((found.train, kept), (found.validation, held)):
            np.testing.assert_array_equal(split.images, images[rows])
            np.testing.assert_array_equal(split.labels, labels[rows])
            assert split.images.dtype == images.dtype and split.labels.dtype == labels.dtype


def test_statistics_and_counts_of_a_fold_are_those_of_its_own_training_images(data):
    found = fold_of(untouched(data), (2, 3)).facts
    train = fold_of(untouched(data), (2, 3)).train
    assert (found.mean, found.variance) == mean_and_variance(train.images)
    assert found.mean != data.facts.mean and found.fold == (2, 3)
    assert found.counts["train"] == np.bincount(train.labels).tolist()
    assert (found.images("train"), found.images("validation")) == (171, 85)  # of 256
    assert DataFacts.from_dict(found.to_dict()) == found


def test_all_images_train_and_none_validates(data):
    found = fold_of(untouched(data), ALL)
    np.testing.assert_array_equal(found.train.images, together(data, "images"))
    np.testing.assert_array_equal(found.train.labels, together(data, "labels"))
    assert len(found.validation) == found.facts.images("validation") == 0
    assert (found.facts.mean, found.facts.variance) == mean_and_variance(found.train.images)
    assert found.facts.notes[-1].endswith("it was not validated itself")


def test_notes_of_folds_leave_out_that_on_the_validation_split(data):
    facts = replace(data.facts, notes=("a note", *few_to_validate(64)))
    assert (
        len(facts.notes) == 2
        and notes_of_folds(facts) == fold_of(replace(data, facts=facts), (1, 2)).facts.notes
    )
    assert notes_of_folds(facts) == ("a note",)


def test_run_of_a_fold_takes_the_data_as_they_are_loaded(data, tmp_path):
    found = fold_of(data, (1, 4))
    run = Run(tmp_path, TrainSettings(), found.facts)
    for given in (data, found):  # loaded anew, or cut already
        np.testing.assert_array_equal(run.checked(given).train.images, found.train.images)
    other = replace(data, train=replace(data.train, images=255 - data.train.images))
    with pytest.raises(InputError, match="other pixels"):
        run.checked(other)


def test_facts_of_folds_count_what_a_fold_leaves_to_train_on(data):
    assert facts_of_folds(data.facts, 4).images("train") == fold_of(data, (1, 4)).facts.images("train") == 192
    assert facts_of_folds(data.facts, None) == data.facts


def test_check_folds_refuses_more_folds_than_images_and_names_rare_classes(data, mask_data):
    facts = replace(data.facts, counts={"train": [90, 2], "validation": [10, 1]})
    assert check_folds(facts, None) == check_folds(mask_data.facts, None) == []
    assert len(check_folds(facts, 3)) == len(check_folds(mask_data.facts, 30)) == 1
    assert (
        "1 classes have fewer than 5 images, so that some folds lack them: right" in check_folds(facts, 5)[1]
    )
    with pytest.raises(InputError, match="folds=101 are more than the 100 images of the largest class"):
        check_folds(facts, 101)
    with pytest.raises(InputError, match="folds=31 are more than the 30 images of train and validation"):
        check_folds(mask_data.facts, 31)


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_folds_of_rows_are_not_stratified_and_count_their_images(task):
    random = np.random.default_rng(0)
    x = random.integers(0, 255, (60, 8, 8, 1), dtype=np.uint8)
    y = random.integers(0, 2, (60, 3)) if task == "multi_label" else random.normal(size=(60, 2))
    data = load((x, y), task=task)
    labels = together(data, "labels")
    kept, held = next(iter(KFold(4, shuffle=True, random_state=0).split(labels)))
    found = fold_of(data, (1, 4))
    np.testing.assert_array_equal(found.train.labels, labels[kept])
    np.testing.assert_array_equal(found.validation.labels, labels[held])
    assert (found.facts.images("train"), found.facts.images("validation")) == (len(kept), len(held))
    assert found.facts.images("test") == data.facts.images("test")
    positives = labels[kept].sum(axis=0).tolist() if task == "multi_label" else [len(kept)] * 2
    assert found.facts.counts["train"] == positives
    assert facts_of_folds(data.facts, 4).images("train") == len(kept)
    assert check_folds(data.facts, 4)[0].startswith("4 folds of the 48 images")
