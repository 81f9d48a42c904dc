"""Mean and variance per channel, without a floating-point copy of the images."""

from collections.abc import Iterator

import numpy as np

CHUNK = 1 << 22  # pixels counted at a time: `np.bincount` copies them to int64, 32 MiB


def mean_and_variance(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Per channel of uint8 or float32 (N, H, W, C), N >= 1, in units of the pixels.

    Of uint8 a histogram is all they need, and counting loses nothing to rounding.
    """
    if images.dtype != np.uint8:
        return _moments(images)
    histogram = _histogram(images)  # (C, 256)
    weights = histogram / histogram.sum(axis=1, keepdims=True)
    values = np.arange(256.0)
    mean = weights @ values
    variance = (weights * (values - mean[:, None]) ** 2).sum(axis=1)
    return tuple(mean.tolist()), tuple(variance.tolist())


def _histogram(images: np.ndarray) -> np.ndarray:
    channels = images.shape[-1]
    histogram = np.zeros((channels, 256), np.int64)
    for chunk in _chunks(images):
        for channel in range(channels):
            histogram[channel] += np.bincount(chunk[..., channel].ravel(), minlength=256)
    return histogram


def _moments(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of floating-point images, in float64."""
    count = images.size / images.shape[-1]
    mean = sum(chunk.sum(axis=(0, 1, 2), dtype=np.float64) for chunk in _chunks(images)) / count
    variance = sum(((chunk - mean) ** 2).sum(axis=(0, 1, 2)) for chunk in _chunks(images)) / count
    return tuple(mean.tolist()), tuple(variance.tolist())


def _chunks(images: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, CHUNK // (images.shape[1] * images.shape[2]))
    for start in range(0, len(images), step):
        yield images[start : start + step]
