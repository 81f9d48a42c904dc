"""What is cut never overlaps, keeps the classes, and follows its seed; facts speak of train alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cnn.data.dataset import DataFacts, RawSplits, Split
from keras_cnn.data.pixel_statistics import mean_and_variance
from keras_cnn.data.splits import assemble, stratify
from keras_cnn.errors import InputError


def numbered(labels, first: int = 0) -> Split:
    """Images of one pixel in two bytes that tell which image it is."""
    numbers = np.arange(first, first + len(labels))
    pixels = np.stack([numbers // 256, numbers % 256], axis=-1).astype(np.uint8)[:, None, None]
    return Split(pixels, np.asarray(labels, np.int64))


def numbers(split: Split) -> list[int]:
    pixels = split.images.astype(int)[:, 0, 0]
    return (pixels[:, 0] * 256 + pixels[:, 1]).tolist()


def raw(labels, classes=3, **own) -> RawSplits:
    return RawSplits(tuple("abcdefgh"[:classes]), numbered(labels), **own)


LABELS = st.lists(st.integers(0, 3), min_size=1, max_size=120)
FRACTIONS = st.floats(0.01, 0.99)


@settings(deadline=None)
@given(LABELS, FRACTIONS, st.integers(0, 2**32 - 1))
def test_stratify_parts_every_class(labels, fraction, seed):
    labels = np.array(labels)
    kept, held = stratify(labels, fraction, seed)
    assert sorted([*kept, *held]) == list(range(len(labels)))
    for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
        share = (labels[held] == label).sum()
        if count == 1:
            assert share == 0
        else:
            assert 1 <= share < count
            assert abs(share - fraction * count) <= 1


def test_stratify_is_the_same_on_every_machine():
    kept, held = stratify(np.tile([0, 1], 10), 0.2, seed=7)
    assert held.tolist() == [3, 7, 10, 16]
    assert len(kept) == 16


@settings(deadline=None)
@given(
    LABELS.filter(lambda labels: np.bincount(labels).max() >= 3 and len(set(labels)) >= 2),
    FRACTIONS,
    st.integers(0, 9),
)
def test_splits_never_overlap_and_lose_nothing(labels, fraction, seed):
    data = assemble("set", raw(labels, classes=4), fraction, seed)
    parts = [numbers(split) for split in (data.train, data.validation, data.load_test())]
    assert sorted(number for part in parts for number in part) == list(range(len(labels)))
    for split in (data.train, data.validation, data.load_test()):
        assert [labels[number] for number in numbers(split)] == split.labels.tolist()


def test_the_seed_moves_validation_and_never_test():
    labels = np.tile([0, 1, 2], 40)
    first, again, other = (assemble("set", raw(labels), 0.1, seed) for seed in (0, 0, 1))
    assert numbers(first.validation) == numbers(again.validation) != numbers(other.validation)
    assert numbers(first.load_test()) == numbers(other.load_test())


def test_the_share_of_validation_never_moves_test():
    labels = np.tile([0, 1, 2], 40)
    small, large = (assemble("set", raw(labels), share, 0) for share in (0.1, 0.5))
    assert numbers(small.load_test()) == numbers(large.load_test())
    assert len(small.validation) < len(large.validation)


def test_own_splits_are_left_alone():
    own = raw([0, 1, 0, 1], 2, validation=numbered([0, 1], 10), load_test=lambda: numbered([1], 20))
    data = assemble("set", own, 0.1, 0)
    assert [numbers(split) for split in (data.train, data.validation, data.load_test())] == [
        [0, 1, 2, 3],
        [10, 11],
        [20],
    ]
    assert data.facts.counts == {"train": [2, 2], "validation": [1, 1]}  # test is not read to be counted
    assert all("validation images are few" in note for note in data.facts.notes)


@pytest.mark.parametrize(("images", "error", "difference"), [(16, "0.10", "0.20"), (64, "0.05", "0.10")])
def test_few_validation_images_give_the_standard_error_of_an_accuracy(images, error, difference):
    """As of a binomial proportion: sqrt(p (1 - p) / n)."""
    own = raw([0, 1, 0, 1], 2, validation=numbered([0, 1] * (images // 2), 10))
    (note,) = [note for note in assemble("set", own, 0.1, 0).facts.notes if "validation" in note]
    assert f"{images} validation images are few" in note
    assert (
        f"sqrt(0.8 x 0.2 / {images}) = {error}, so differences below about {difference} may be chance" in note
    )


def test_enough_validation_images_need_no_note():
    own = raw([0, 1, 0, 1], 2, validation=numbered([0, 1] * 50, 10))
    assert not any("validation" in note for note in assemble("set", own, 0.1, 0).facts.notes)


def test_test_split_is_read_on_demand():
    def load_test():
        raise AssertionError("test was read")

    data = assemble("set", raw([0, 1] * 5, 2, load_test=load_test, test_counts=[4, 5]), 0.3, 0)
    assert data.facts.counts["test"] == [4, 5]
    with pytest.raises(AssertionError, match="test was read"):
        data.load_test()


def test_counts_are_those_of_the_splits():
    data = assemble("set", raw([0] * 20 + [1] * 10 + [2] * 5), 0.25, 0)
    assert data.facts.counts == {"train": [12, 6, 3], "validation": [4, 2, 1], "test": [4, 2, 1]}
    assert "set has no test split: 7 images, 20% of every class" in data.facts.notes[0]


def test_statistics_are_of_train_alone():
    random = np.random.RandomState(3)
    images = random.randint(0, 256, (90, 5, 4, 3)).astype(np.uint8)
    held = Split(images[:9] * 0, np.tile([0, 1, 2], 3))
    train = Split(images, np.tile([0, 1, 2], 30))
    data = assemble("set", RawSplits(("a", "b", "c"), train, held, lambda: held), 0.1, 0)
    np.testing.assert_allclose(data.facts.mean, images.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(data.facts.variance, images.var(axis=(0, 1, 2), dtype=np.float64), rtol=1e-12)
    cut = assemble("set", RawSplits(("a", "b", "c"), train), 0.1, 0)
    np.testing.assert_allclose(cut.facts.mean, cut.train.images.mean(axis=(0, 1, 2)), rtol=1e-12)


def test_statistics_go_by_chunks(monkeypatch):
    images = np.random.RandomState(0).randint(0, 256, (10, 3, 3, 2)).astype(np.uint8)
    whole = mean_and_variance(images)
    monkeypatch.setattr("keras_cnn.data.pixel_statistics.CHUNK", 20)  # two images of nine pixels each
    assert mean_and_variance(images) == whole


def test_statistics_of_one_value_are_exact():
    assert mean_and_variance(np.full((2, 1, 1, 1), 255, np.uint8)) == ((255.0,), (0.0,))


def test_facts_survive_json():
    import json

    facts = assemble("set", raw([0, 1] * 9, 2), 0.2, 0).facts
    assert DataFacts.from_dict(json.loads(json.dumps(facts.to_dict()))) == facts


def test_a_class_without_train_images_is_noted():
    data = assemble("set", raw([0, 1] * 9), 0.2, 0)
    assert data.facts.counts["train"][2] == 0
    assert any("no train image of 1 of 3 classes: 'c'" in note for note in data.facts.notes)


@pytest.mark.parametrize(("labels", "found"), [([], "none"), ([1, 1, 1], "those of 'b' alone")])
def test_fewer_than_two_classes_are_refused(labels, found):
    with pytest.raises(InputError, match=f"'set' needs train images of two classes or more, but has {found}"):
        assemble("set", raw(labels), 0.1, 0)


def test_single_images_leave_nothing_to_test():
    with pytest.raises(InputError, match="no image is left for the test split of 'set'"):
        assemble("set", raw([0, 1, 2]), 0.1, 0)


def test_pairs_leave_nothing_to_validate():
    with pytest.raises(InputError, match="no image is left for the validation split of 'set'"):
        assemble("set", raw([0, 0, 1, 1]), 0.1, 0)


def test_splits_of_another_shape_are_refused():
    other = Split(np.zeros((2, 3, 3, 2), np.uint8), np.array([0, 1]))
    with pytest.raises(InputError, match=r"validation images of 'set' are \(3, 3, 2\).*--image_size"):
        assemble("set", raw([0, 1] * 9, validation=other), 0.1, 0)
    data = assemble("set", raw([0, 1] * 9, load_test=lambda: other), 0.1, 0)
    with pytest.raises(InputError, match=r"test images of 'set' are \(3, 3, 2\)"):
        data.load_test()
