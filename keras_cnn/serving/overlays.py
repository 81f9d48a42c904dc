"""Maps of a net laid over the image that they belong to."""

import numpy as np

from keras_cnn.data.decode import convert

OPACITY = 0.5


def heat_overlay(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """uint8 (H, W, C) and a map (h, w) of at least 0, of which the largest value is red -> uint8 (H, W, 3)."""
    from matplotlib import colormaps
    from PIL import Image

    scaled = np.asarray(
        Image.fromarray((heat / (heat.max() or 1)).astype(np.float32)).resize(
            image.shape[1::-1], Image.Resampling.BILINEAR
        )
    )
    return _blend(image, colormaps["jet"](scaled)[..., :3])


def mask_overlay(image: np.ndarray, mask: np.ndarray, classes: int) -> np.ndarray:
    """uint8 (H, W, C) and class numbers (H, W) -> uint8 (H, W, 3) in the colors of `mask_colors`."""
    return _blend(image, mask_colors(classes)[mask])


def mask_colors(classes: int) -> np.ndarray:
    """(classes, 3), 0..1: a color for each class."""
    from matplotlib import colormaps

    return colormaps["viridis"].resampled(classes)(np.arange(classes))[:, :3]


def _blend(image: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """colors: (H, W, 3), 0..1."""
    return np.rint((1 - OPACITY) * convert(image, 3) + OPACITY * 255 * colors).astype(np.uint8)
