"""Maps of a net laid over the image that they belong to."""

import numpy as np

from keras_cnn.data.decode import convert
from keras_cnn.pages.palette import BEST, channels

OPACITY = 0.5  # of a mask
LARGEST_OPACITY = 0.8  # of a map, where it is largest


def heat_overlay(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """uint8 (H, W, C) and a map (h, w) of at least 0 -> uint8 (H, W, 3).

    The larger a value, the more of its color covers the image: what does not count stays as it is.
    """
    from PIL import Image

    scaled = np.asarray(
        Image.fromarray((heat / (heat.max() or 1)).astype(np.float32)).resize(
            image.shape[1::-1], Image.Resampling.BILINEAR
        )
    )
    return _blend(image, np.array(channels(BEST)), LARGEST_OPACITY * scaled[..., None])


def mask_overlay(image: np.ndarray, mask: np.ndarray, classes: int) -> np.ndarray:
    """uint8 (H, W, C) and class numbers (H, W) -> uint8 (H, W, 3) in the colors of `mask_colors`."""
    return _blend(image, 255 * mask_colors(classes)[mask], OPACITY)


def mask_colors(classes: int) -> np.ndarray:
    """(classes, 3), 0..1: a color for each class."""
    from matplotlib import colormaps

    return colormaps["viridis"].resampled(classes)(np.arange(classes))[:, :3]


def _blend(image: np.ndarray, colors: np.ndarray, opacity: float | np.ndarray) -> np.ndarray:
    """colors: (H, W, 3) or (3,), 0..255. opacity: 0..1, one or (H, W, 1)."""
    return np.rint((1 - opacity) * convert(image, 3) + opacity * colors).astype(np.uint8)
