"""The score does not depend on the scale of logits, and is 0 for uninformative outputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from keras_cnn.diagnosis.probe.score import classes_of, explained_entropy, null_score_p999


def outputs(seed: int, strength: float, classes: int = 4, count: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, count)
    return y, strength * np.eye(classes)[y] + random.normal(size=(count, classes))


@given(st.integers(0, 99), st.floats(0.0, 3.0), st.floats(0.2, 5.0), st.floats(-50, 50))
@settings(max_examples=30, deadline=None)
def test_explained_entropy_scale_and_shift_do_not_matter(seed, strength, scale, shift):
    y, logits = outputs(seed, strength)
    one, other = explained_entropy(y, logits), explained_entropy(y, scale * logits + shift * np.arange(4))
    assert 0 <= one <= 1 and other == pytest.approx(one, abs=5e-3)


def test_explained_entropy_grows_with_class_separation():
    values = [explained_entropy(*outputs(0, strength)) for strength in (0.0, 0.5, 1.0, 2.0, 8.0)]
    assert values == sorted(values)
    assert values[0] < 2e-3 and values[-1] > 0.99


def test_explained_entropy_equals_logistic_regression():
    y, logits = outputs(1, 1.0, classes=2)
    margin = (logits[:, 1] - logits[:, 0])[:, None]
    fitted = LogisticRegression(C=np.inf).fit(margin, y).predict_proba(margin)
    share = y.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    wanted = 1 + np.log(fitted[np.arange(len(y)), y]).mean() / entropy
    assert explained_entropy(y, logits) == pytest.approx(wanted, abs=0.01)
    assert explained_entropy(y, margin) == pytest.approx(
        wanted, abs=0.01
    )  # the single logit of a binary model


@pytest.mark.parametrize("far", [0.0, 7.0, 1e6])
def test_explained_entropy_constant_outputs_is_zero(far):
    assert explained_entropy(np.arange(40) % 4, np.full((40, 4), far)) == pytest.approx(0, abs=1e-9)


def test_explained_entropy_one_class_is_zero_nan_is_nan():
    assert explained_entropy(np.zeros(9, int), np.random.default_rng(0).normal(size=(9, 3))) == 0
    assert np.isnan(explained_entropy(np.arange(9) % 3, np.full((9, 3), np.nan)))


def test_explained_entropy_all_label_forms_are_equal():
    y, logits = outputs(2, 1.0)
    assert explained_entropy(np.eye(4)[y], logits) == explained_entropy(y, logits)
    masks, pixels = y.reshape(5, 20, 20), logits.reshape(5, 20, 20, 4)
    assert (
        explained_entropy(masks, pixels)
        == explained_entropy(y, logits)
        == explained_entropy(masks[..., None], pixels)
    )
    np.testing.assert_array_equal(classes_of(np.eye(4)[masks], pixels), masks)


@pytest.mark.parametrize(("classes", "count"), [(2, 60), (2, 256), (10, 256)])
def test_null_score_p999_random_outputs_rarely_exceed_it(classes, count):
    draws = [outputs(seed, 0.0, classes, count) for seed in range(150)]
    beyond = [explained_entropy(*draw) > null_score_p999(*draw) for draw in draws]
    assert sum(beyond) <= 3
    half = [explained_entropy(*draw) > 0.1 * null_score_p999(*draw) for draw in draws]
    assert sum(half) > 7  # the bound is not far too high


def test_explained_entropy_void_pixels_are_ignored():
    y, logits = outputs(3, 1.0)
    masks, pixels = y.reshape(5, 20, 20), logits.reshape(5, 20, 20, 4)
    void = np.concatenate([masks, np.full_like(masks, 255)])
    assert explained_entropy(void, np.concatenate([pixels, pixels])) == pytest.approx(
        explained_entropy(masks, pixels)
    )
