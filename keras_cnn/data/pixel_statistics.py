"""Mean and variance per channel, exact and without a floating-point copy of the images."""

import numpy as np

CHUNK = 1 << 22  # pixels counted at a time: `np.bincount` copies them to int64, 32 MiB


def mean_and_variance(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Per channel of uint8 (N, H, W, C), N >= 1, in units of the pixels (0..255).

    A histogram is all they need, and counting loses nothing to rounding.
    """
    histogram = _histogram(images)  # (C, 256)
    weights = histogram / histogram.sum(axis=1, keepdims=True)
    values = np.arange(256.0)
    mean = weights @ values
    variance = (weights * (values - mean[:, None]) ** 2).sum(axis=1)
    return tuple(mean.tolist()), tuple(variance.tolist())


def _histogram(images: np.ndarray) -> np.ndarray:
    channels = images.shape[-1]
    histogram = np.zeros((channels, 256), np.int64)
    step = max(1, CHUNK // (images.shape[1] * images.shape[2]))
    for start in range(0, len(images), step):
        chunk = images[start : start + step]
        for channel in range(channels):
            histogram[channel] += np.bincount(chunk[..., channel].ravel(), minlength=256)
    return histogram
