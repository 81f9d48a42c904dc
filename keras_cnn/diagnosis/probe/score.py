"""The score: the share of the entropy of the labels that the logits explain, whatever their scale."""

import numpy as np

MAX_ROWS = 4096  # images, or pixels of masks, that are evaluated
CHI2_1DF_P001 = 10.8  # scipy.stats.chi2.isf(1e-3, 1), rounded
TEMPERATURES = 0.1 * 300 ** (np.arange(-5, 25) / 24)  # 0.03 to 30; untrained models give small logits


def explained_entropy(y: np.ndarray, logits: np.ndarray) -> float:
    """McFadden's pseudo-R2 of the logits, after centering over images and temperature scaling.

    The temperature is the one with the lowest cross-entropy (Guo et al. 2017, On Calibration, section 4.2). Unlike the
    loss, the score separates an overconfident model, whose loss is above chance, from one that has learned nothing, and
    compares models with different losses.

    Args:
        y: classes (...,), one-hot labels or distributions (..., C).
        logits: (..., C), or (..., 1) of a binary model.

    Returns:
        A score in [0, 1]: 0 = class frequencies only, 1 = perfect; NaN if a logit is not finite.
    """
    truth, rows = classes_of(y, logits).reshape(-1), logits.reshape(-1, logits.shape[-1]).astype("float64")
    every = max(1, len(rows) // MAX_ROWS)
    truth, rows = truth[::every].astype(int), rows[::every]
    known = (truth >= 0) & (truth < max(2, rows.shape[-1]))  # pixels of masks may belong to no class
    truth, rows = truth[known], rows[known]
    if not np.isfinite(rows).all():
        return float("nan")
    if rows.shape[-1] == 1:
        rows = np.concatenate([np.zeros_like(rows), rows], axis=-1)
    frequencies = np.bincount(truth, minlength=rows.shape[-1]) / max(1, len(truth))
    entropy = _entropy(frequencies)
    if entropy == 0:
        return 0.0
    prior = np.log(np.maximum(frequencies, 1e-9))
    centered = rows - rows.mean(axis=0)
    lowest = min(_cross_entropy(truth, centered / temperature + prior) for temperature in TEMPERATURES)
    return max(0.0, 1 - lowest / entropy)


def null_score_p999(y: np.ndarray, logits: np.ndarray) -> float:
    """The 99.9th percentile of the score of uninformative outputs.

    By the likelihood ratio test (Wilks 1938) twice the gain in log-likelihood is chi-squared with one degree of
    freedom, the temperature.

    Args:
        y: labels, as for `explained_entropy`.
        logits: outputs, of which only the shape counts.

    Returns:
        A score of at least 0; 0 if there is only one class.
    """
    truth = classes_of(y, logits).reshape(-1).astype(int)
    entropy = _entropy(np.unique(truth, return_counts=True)[1] / max(1, len(truth)))
    return CHI2_1DF_P001 / (2 * min(len(truth), MAX_ROWS) * entropy) if entropy else 0.0


def _entropy(frequencies: np.ndarray) -> float:
    present = frequencies[frequencies > 0]
    return -float(np.sum(present * np.log(present)))


def _cross_entropy(truth: np.ndarray, logits: np.ndarray) -> float:
    above = logits - logits.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(above).sum(axis=-1))
    return float((log_sum - above[np.arange(len(truth)), truth]).mean())


def classes_of(y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Labels as classes (...,), from class indices, one-hot labels or distributions; booleans for a binary model."""
    if outputs.shape[-1] == 1:
        return np.asarray(y).reshape(outputs.shape[:-1]) > 0.5
    one_hot = y.ndim == outputs.ndim and y.shape[-1] == outputs.shape[-1]
    return np.asarray(y.argmax(-1) if one_hot else y).reshape(outputs.shape[:-1])
