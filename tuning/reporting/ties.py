"""Trials whose scores differ by less than the standard error of the validation accuracy."""

import math
from collections.abc import Sequence

from keras_cnn.task import CLASSIFICATION
from tuning.config import StudyConfig
from tuning.storage.trials import Row


def ties(study: StudyConfig, rows: Sequence[Row]) -> str:
    """A sentence on the trials whose accuracy is within one standard error of the best one's.

    Args:
        study: of single labels; pixels of a mask are not independent, so that nothing is said of masks.
        rows: of `trials`, best first.

    Returns:
        The sentence; empty if no other trial is so close, or scores are means of several runs, with intervals.
    """
    tied, error = tied_trials(study, rows)
    if tied < 2:
        return ""
    return (
        f"{tied} trials are within one standard error of the best ({error:.4f} on "
        f"{study.facts.images('validation'):,} validation images): "
        "these differences may be chance; of equal accuracies the lower validation loss ranks first. "
        "--validation_split sets a larger split, --repeats trains each more often."
    )


def tied_trials(study: StudyConfig, rows: Sequence[Row]) -> tuple[int, float]:
    """(trials within one standard error of the best, itself included; the error); (0, 0.0) where it is not known.

    The standard error of an accuracy p on n images is sqrt(p (1 - p) / n), the binomial's; here at least 1 / n, the
    smallest difference there is.
    """
    scores = [row["score"] for row in rows if row["score"] is not None]
    labeled = (
        study.objective == "val_accuracy"
        and study.facts.task == CLASSIFICATION.name
        and "validation" in study.facts.counts
    )
    if not labeled or study.search.runs > 1 or len(scores) < 2:
        return 0, 0.0
    images = study.facts.images("validation")
    error = max(math.sqrt(scores[0] * (1 - scores[0]) / images), 1 / images)
    return sum(score > scores[0] - error for score in scores), error
