"""The range of pixel values: 0..255 of images of 8 bits, 0..1 of most floating-point images, or that of the data."""

import numpy as np

PIXELS = (0.0, 255.0)  # of uint8
SIGNED = (-1.0, 1.0)
# ranges that images have by convention; of each the upper half must occur, or 0..16 would be taken for 0..255
CONVENTIONS = ((0.0, 1.0), PIXELS, (0.0, 4095.0), (0.0, 65535.0))


def find_value_range(low: float, high: float) -> tuple[float, float]:
    """The range of images whose smallest and largest value are `low` and `high`.

    Returns:
        (0, 1) or (-1, 1) if all values lie in it; (0, 255), (0, 4095) or (0, 65535) if it holds all values and the
        largest is in its upper half; else (min(low, 0), high), or (low, low + 1) of a constant.
    """
    if low < 0 and SIGNED[0] <= low and high <= SIGNED[1]:
        return SIGNED
    for start, end in CONVENTIONS:
        if start <= low and high <= end and (end == 1 or high > end / 2):
            return start, end
    low = min(low, 0.0)
    return (low, high) if high > low else (low, low + 1)


def rescale(values, source: tuple[float, float], target: tuple[float, float]):
    """Floating-point values of the range `source`, an array or a tensor, in the range `target`; not clipped."""
    factor = (target[1] - target[0]) / (source[1] - source[0])
    return (values - source[0]) * factor + target[0]


def displayed(images: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """Images (..., H, W, C) to look at: uint8 (..., H, W, 1 or 3); of other channel counts the mean of all channels."""
    if images.shape[-1] not in (1, 3):
        images = images.mean(axis=-1, keepdims=True, dtype=np.float32)
    if images.dtype == np.uint8:
        return images
    return np.rint(np.clip(rescale(images, value_range, PIXELS), *PIXELS)).astype(np.uint8)
