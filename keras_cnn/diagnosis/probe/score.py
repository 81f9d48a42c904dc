"""What outputs tell of the classes, whatever their scale: the loss at the best temperature."""

import numpy as np

ROWS = 4096  # images, or pixels of masks, that are looked at
CHI2_1DF_P001 = 10.8  # chi-squared of one degree of freedom, exceeded once in a thousand times
TEMPERATURES = 0.1 * 300 ** (np.arange(-5, 25) / 24)  # 0.03 to 30: nets at first give small logits


def explained_entropy(y: np.ndarray, logits: np.ndarray) -> float:
    """The share of the entropy of the classes that the outputs tell, 0..1; NaN where they are not finite.

    y: classes (...,), one-hot or distributions (..., C). logits: (..., C), or (..., 1) of a binary net. They are
    centered over the images and divided by the temperature at which their cross-entropy is least (Guo et al. 2017, On
    Calibration, section 4.2). Unlike the loss this tells a net that is far too sure of what it has learnt, whose loss
    lies above chance, from one that has learnt nothing; and nets of different losses apart.
    """
    truth, rows = classes_of(y, logits).reshape(-1), logits.reshape(-1, logits.shape[-1]).astype("float64")
    every = max(1, len(rows) // ROWS)
    truth, rows = truth[::every].astype(int), rows[::every]
    known = (truth >= 0) & (truth < max(2, rows.shape[-1]))  # of masks pixels may belong to no class
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
    least = min(_cross_entropy(truth, centered / temperature + prior) for temperature in TEMPERATURES)
    return max(0.0, 1 - least / entropy)


def null_score_p999(y: np.ndarray, logits: np.ndarray) -> float:
    """The share that outputs which know nothing tell once in a thousand times: twice what they add to the likelihood
    is then chi-squared of one degree of freedom, the temperature (Wilks 1938). y, logits: as for `told`."""
    truth = classes_of(y, logits).reshape(-1).astype(int)
    entropy = _entropy(np.unique(truth, return_counts=True)[1] / max(1, len(truth)))
    return CHI2_1DF_P001 / (2 * min(len(truth), ROWS) * entropy) if entropy else 0.0


def _entropy(frequencies: np.ndarray) -> float:
    present = frequencies[frequencies > 0]
    return -float(np.sum(present * np.log(present)))


def _cross_entropy(truth: np.ndarray, logits: np.ndarray) -> float:
    above = logits - logits.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(above).sum(axis=-1))
    return float((log_sum - above[np.arange(len(truth)), truth]).mean())


def classes_of(y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Labels as classes, in whichever form the loss takes them."""
    if outputs.shape[-1] == 1:
        return np.asarray(y).reshape(outputs.shape[:-1]) > 0.5
    whole = y.ndim == outputs.ndim and y.shape[-1] == outputs.shape[-1]
    return np.asarray(y.argmax(-1) if whole else y).reshape(outputs.shape[:-1])
