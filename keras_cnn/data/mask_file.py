"""One mask file to the numbers in it, which are classes."""

from pathlib import Path

import numpy as np

from keras_cnn.data.decode import FORMATS, opened
from keras_cnn.errors import InputError

MASK_FORMATS = tuple(name for name in FORMATS if name != "JPEG")


class LossyMask(InputError):
    """A mask of a format that changes its numbers."""


class ColoredMask(InputError):
    """A mask of colors that are no shades of gray."""


def decode_mask(source: str | Path | bytes) -> np.ndarray:
    """The numbers of a mask as stored in its file: uint8 (H, W), EXIF orientation applied.

    The positions of a palette count, not its colors, as in Pascal VOC; black and white are 0 and 1, or, of 16 bits, 0
    and 255. Raises LossyMask for JPEG, also in TIFF, ColoredMask for colors, and InputError where the mask is broken
    or holds other numbers than 0 to 255.
    """
    from PIL import ImageOps

    with opened(source, MASK_FORMATS) as image:
        lossy = image.format == "JPEG" or image.info.get("compression") == "jpeg"
        values = np.asarray(ImageOps.exif_transpose(image))
    what = "the upload" if isinstance(source, bytes) else repr(str(source))
    if lossy:
        raise LossyMask(f"the mask {what} is a JPEG, which blurs its numbers: save it as PNG.")
    if values.ndim == 3:
        values = values[..., : {2: 1, 4: 3}.get(values.shape[2], 3)]  # without alpha
        if (values != values[..., :1]).any():
            raise ColoredMask(f"the mask {what} is colored, where one number for each class was expected.")
        values = values[..., 0]
    if values.max(initial=0) > 255 and set(np.unique(values)) <= {0, 65535}:
        values = np.minimum(values, 255)
    if values.dtype.kind == "f" or values.min(initial=0) < 0 or values.max(initial=0) > 255:
        raise InputError(
            f"the mask {what} holds {values.min()} to {values.max()}; allowed are whole numbers from 0 to 255."
        )
    return values.astype(np.uint8)


def palette_colors(source: Path) -> dict[int, tuple[int, ...]]:
    """Color (R, G, B) of each position of the palette of a file; empty if it has none."""
    with opened(source, MASK_FORMATS) as image:
        flat = (image.getpalette("RGB") if image.mode == "P" else None) or []
    return {place: tuple(flat[3 * place : 3 * place + 3]) for place in range(len(flat) // 3)}
