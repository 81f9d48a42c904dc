"""Checks of images, labels and masks, each on data with the mistake and on data without."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cnn.diagnosis.checks.images import image_findings
from keras_cnn.diagnosis.checks.inputs import scale_findings
from keras_cnn.diagnosis.checks.label_relations import relation_findings
from keras_cnn.diagnosis.checks.labels import label_findings
from keras_cnn.diagnosis.checks.masks import mask_findings, own_mask_wins
from keras_cnn.diagnosis.diagnose import diagnose
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.errors import InputError
from tests.untrainable_nets import digits


def names(findings) -> list[str]:
    return [finding.name for finding in findings]


def conv(shape=(16, 16, 1), first=()) -> keras.Model:
    stack = [layers.Conv2D(4, 3, padding="same"), layers.Flatten(), layers.Dense(10, "softmax")]
    return keras.Sequential([keras.Input(shape), *first, *stack])


def pixels() -> tuple[np.ndarray, np.ndarray]:
    """Digits in 0..255."""
    x, y = digits()
    return np.round((x - x.min()) / np.ptp(x) * 255).astype("uint8"), y


@pytest.mark.parametrize(
    ("scale", "first", "found"),
    [
        (1.0, [], ["inputs_not_normalized"]),
        (1 / 255, [], []),
        (1.0, [lambda: layers.Rescaling(1 / 255)], []),
        (1 / 255, [lambda: layers.Rescaling(1 / 255)], ["inputs_scaled_twice"]),
        (1 / 255, [lambda: layers.Rescaling(1 / 127.5, -1)], ["inputs_scaled_twice"]),
        (1e-5, [], ["inputs_not_normalized"]),
        (1e-5, [lambda: layers.BatchNormalization(epsilon=1e-12)], []),
    ],
)
def test_scale_is_measured_behind_the_layers_that_scale(scale, first, found):
    x, y = pixels()
    sample = Sample((x * scale).astype("float32"), y, 64)
    assert names(scale_findings(sample, conv(first=[make() for make in first]))) == found


def test_images_of_integer_division_are_nearly_constant():
    x, y = pixels()
    assert names(image_findings(Sample((x // 255).astype("float32"), y, 64), conv())) == [
        "images_nearly_constant"
    ]
    assert names(image_findings(Sample((x / 255).astype("float32"), y, 64), conv())) == []


def test_channels_first_images_are_found_and_a_transposition_is_proposed():
    x = np.repeat(digits()[0], 3, axis=-1)
    first = x.transpose(0, 3, 1, 2)
    sample = Sample(first, digits()[1], 64)
    assert names(image_findings(sample, conv((3, 16, 16)))) == ["channels_first_images"]
    assert names(image_findings(Sample(x, digits()[1], 64), conv((16, 16, 3)))) == []
    with pytest.raises(InputError, match=r"np.transpose\(x, \(0, 2, 3, 1\)\)"):
        diagnose(conv((16, 16, 3)), (first, digits()[1]))


def test_imbalanced_labels_are_named_and_not_called_unrelated():
    x, y = digits()
    zero, others = np.flatnonzero(y == 0), np.flatnonzero(y != 0)
    order = np.concatenate([zero[:45], others])
    found = list(relation_findings(Sample(x[order], (y[order] == 0).astype("int32"), 64), 1))
    assert names(found) == ["imbalanced_classes"] and found[0].numbers["largest"] > 0.9
    assert "balanced accuracy of 50%" in found[0].message
    assert names(relation_findings(Sample(x, y, 64), 10)) == []


def test_labels_unrelated_is_found_among_imbalanced_classes_with_enough_images():
    x, y = digits()
    labels = np.random.default_rng(0).permutation((y < 2).astype("int32"))
    assert names(relation_findings(Sample(x, labels, 64), 1)) == [
        "imbalanced_classes",
        "labels_unrelated",
    ] or names(relation_findings(Sample(x, labels, 64), 1)) == ["labels_unrelated"]


def test_equal_images_with_different_labels_contradict_each_other():
    x, y = digits()
    both = Sample(np.concatenate([x, x[:300]]), np.concatenate([y, (y[:300] + 1) % 10]), 64)
    (found,) = [one for one in relation_findings(both, 10) if one.name == "contradicting_labels"]
    assert found.numbers["share"] == pytest.approx(600 / 1300, abs=0.02) and found.confidence > 0.9
    same = Sample(np.concatenate([x, x[:300]]), np.concatenate([y, y[:300]]), 64)
    assert names(relation_findings(same, 10)) == []


def squares(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images (N, 16, 16, 1) of a bright square, and its masks (N, 16, 16)."""
    random = np.random.default_rng(0)
    masks = np.zeros((count, 16, 16), "uint8")
    for mask, (row, column) in zip(masks, random.integers(0, 10, (count, 2)), strict=True):
        mask[row : row + 6, column : column + 6] = 1
    return (masks + random.normal(0, 0.5, masks.shape)).astype("float32")[..., None], masks


@pytest.mark.parametrize("channel", [False, True])
def test_masks_of_other_images_are_found(channel):
    x, y = squares()
    others = np.random.default_rng(1).permutation(y)
    x, y, others = (x, y[..., None], others[..., None]) if channel else (x, y, others)
    assert names(mask_findings(Sample(x, y, 8), 2)) == []
    (found,) = mask_findings(Sample(x, others, 8), 2)
    assert found.name == "masks_of_other_images" and found.numbers["images"] <= 60
    wins, count = own_mask_wins(*squares())
    assert wins > 0.9 * count


def test_interpolated_masks_are_found():
    x, y = squares()
    soft = (y[:, 1:].astype("float32") + y[:, :-1]) / 2
    soft = np.pad(soft, ((0, 0), (0, 1), (0, 0)))
    model = keras.Sequential([keras.Input((16, 16, 1)), layers.Conv2D(2, 1, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    found = label_findings(Sample(x, (255 * soft).astype("int32"), 8), model)
    assert names(found) == ["interpolated_masks"] and found[0].confidence > 0.9
    assert "nearest" in found[0].suggestions[0].what


@pytest.mark.parametrize(
    ("change", "suggestion"),
    [(lambda y: y * 255, "divide the masks by 255"), (lambda y: y + 1, "subtract 1")],
)
def test_labels_out_of_range_suggest_what_is_likely(change, suggestion):
    x, y = squares()
    model = keras.Sequential([keras.Input((16, 16, 1)), layers.Conv2D(1, 1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    (found,) = label_findings(Sample(x, change(y.astype("int32")), 8), model)
    assert found.name == "labels_out_of_range" and found.suggestions[0].what.startswith(suggestion)
