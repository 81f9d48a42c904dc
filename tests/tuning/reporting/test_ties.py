"""Which trials are within a standard error of the best, in words and numbers."""

from dataclasses import replace

import pytest

from keras_cnn.training.config import TrainSettings
from tests.tuning_studies import digits_facts
from tuning.config import StudyConfig
from tuning.reporting.ties import ties
from tuning.search_settings import SearchSettings


def study_of(tmp_path, images: int, **search) -> StudyConfig:
    facts = replace(
        digits_facts(), counts={"train": [450, 450], "validation": [images // 2, images - images // 2]}
    )
    return StudyConfig(tmp_path, SearchSettings("random", **search), TrainSettings(batch_size=8), {}, facts)


def rows(*scores: float | None) -> list[dict]:
    return [{"score": score} for score in scores]


@pytest.mark.parametrize(
    ("images", "scores", "tied", "error"),
    [
        (100, (0.9, 0.88, 0.86, 0.5), 2, "0.0300"),  # sqrt(0.9 * 0.1 / 100)
        (10_000, (0.9, 0.8975, 0.8965, 0.88), 2, "0.0030"),
        (143, (1.0, 1.0, 1.0, 142 / 143, None), 3, "0.0070"),  # no spread: an image is the least difference
    ],
)
def test_trials_within_a_standard_error_of_the_best_are_ties(images, scores, tied, error, tmp_path):
    text = ties(study_of(tmp_path, images), rows(*scores))
    assert text.startswith(
        f"{tied} trials are within one standard error of the best ({error} on {images:,} valid"
    )


@pytest.mark.parametrize("scores", [(0.9,), (0.9, 0.5), (0.9, None), (None,), ()])
def test_a_best_trial_that_stands_apart_is_no_tie(scores, tmp_path):
    assert ties(study_of(tmp_path, 100), rows(*scores)) == ""


def test_means_of_repeats_have_intervals_instead(tmp_path):
    assert ties(study_of(tmp_path, 100, repeats=3), rows(0.9, 0.9)) == ""
    assert ties(study_of(tmp_path, 100, folds=3), rows(0.9, 0.9)) == ""
