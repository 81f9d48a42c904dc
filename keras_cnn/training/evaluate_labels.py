"""Measure a model of several labels an image on a split: plain numbers from its probabilities."""

from collections.abc import Sequence

import numpy as np

THRESHOLD = 0.5  # from which a label is predicted
RESAMPLED, PART = 200, 50  # draws of an interval, and how many are computed at a time


def measure_labels(probabilities: np.ndarray, truth: np.ndarray, names: Sequence[str]) -> dict:
    """What the probabilities (N, K) reach on `truth` (N, K) of 0 and 1.

    mean_average_precision, the mean over the labels that some image has, with a 95 % interval from images drawn anew
    (Efron 1979); binary_accuracy, the share of all N x K answers that are right at a threshold of 0.5; exact_match, of
    images with all labels right; loss, binary cross-entropy in nats; and by label average_precision (None without an
    image that has it), precision and recall at 0.5 (0 where nothing is predicted, or there is none) and support, the
    number of images that have it.
    """
    truth, predicted = truth > 0, probabilities >= THRESHOLD
    hits, support = (truth & predicted).sum(axis=0), truth.sum(axis=0)
    average = average_precisions(probabilities, truth, np.ones((1, len(truth)), np.int32))[0]
    tiny = np.finfo(np.float32).tiny
    of_truth = np.where(truth, probabilities, 1 - probabilities)
    return {
        "images": len(truth),
        "mean_average_precision": _mean(average),
        "mean_average_precision_interval": _interval(probabilities, truth),
        "binary_accuracy": float(np.mean(truth == predicted)),
        "exact_match": float(np.mean((truth == predicted).all(axis=1))),
        "loss": float(-np.mean(np.log(np.maximum(of_truth, tiny)))),
        "average_precision": dict(
            zip(names, [None if np.isnan(one) else float(one) for one in average], strict=True)
        ),
        "precision": dict(zip(names, (hits / np.maximum(predicted.sum(axis=0), 1)).tolist(), strict=True)),
        "recall": dict(zip(names, (hits / np.maximum(support, 1)).tolist(), strict=True)),
        "support": dict(zip(names, support.tolist(), strict=True)),
    }


def average_precisions(probabilities: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average precision of each label, as scikit-learn defines it: the sum of (recall gained x precision).

    Args:
        probabilities: (N, K).
        truth: bool (N, K).
        weights: whole numbers (R, N), how often each image counts, in each of R draws.

    Returns:
        (R, K); NaN where no image of a draw has the label.
    """
    found = []
    for column, label in zip(probabilities.T, truth.T, strict=True):
        order = np.argsort(-column, kind="stable")
        having = np.flatnonzero(label[order])
        # images of equal probability are predicted together, up to the last of them
        last = np.searchsorted(-column[order], -column[order[having]], side="right") - 1
        last_having = np.searchsorted(last, last, side="right") - 1
        counts = weights[:, order]
        counted = counts[:, having]
        hits, predicted = counted.cumsum(axis=1), counts.cumsum(axis=1)[:, last]
        precision = hits[:, last_having] / np.maximum(predicted, 1)
        total = counted.sum(axis=1)
        found.append((counted * precision).sum(axis=1) / np.where(total > 0, total, np.nan))
    return np.stack(found, axis=1)


def _mean(average: np.ndarray) -> float:
    """The mean of what is no NaN; 0 if nothing is left."""
    return float(np.nanmean(average)) if np.isfinite(average).any() else 0.0


def _interval(probabilities: np.ndarray, truth: np.ndarray) -> list[float]:
    random, count = np.random.default_rng(0), len(truth)
    found: list[float] = []
    for _ in range(RESAMPLED // PART):
        weights = random.multinomial(count, np.full(count, 1 / count), PART).astype(np.int32)
        found += map(_mean, average_precisions(probabilities, truth, weights))
    return [float(bound) for bound in np.quantile(found, (0.025, 0.975))]
