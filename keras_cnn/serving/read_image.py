"""An image of a file, its bytes or an array, as a model takes it: with its channels, type and value range."""

from pathlib import Path
from typing import Protocol

import numpy as np

from keras_cnn.data.decode import convert, decode, resize
from keras_cnn.data.value_range import PIXELS, rescale
from keras_cnn.errors import InputError

Source = str | Path | bytes | np.ndarray


class PixelFormat(Protocol):
    """Type and range of the pixels that a model takes, as in `DataFacts`."""

    @property
    def dtype(self) -> str: ...

    @property
    def value_range(self) -> tuple[float, float]: ...


def read_image(
    source: Source, channels: int, size: tuple[int, int] | None, pixel_format: PixelFormat
) -> np.ndarray:
    """Read an image.

    Args:
        source: an image file or its bytes, decoded to 8 bits; a uint8 array (H, W), (H, W, 1), (H, W, 3) or, with
            alpha, (H, W, 4); or an array (H, W, channels), floating-point values in the model's own range.
        channels: of the model.
        size: (height, width) to resize to; None keeps the image's own.
        pixel_format: type and range of the model's pixels; 8 bits are scaled from 0..255 into a range of float32.

    Returns:
        (H, W, channels), uint8 or float32.

    Raises:
        InputError: for what is no image, damaged or too large, and for a file where channels are not 1 or 3.
    """
    if isinstance(source, np.ndarray):
        pixels = _from_array(source, channels, size, pixel_format.dtype)
    elif channels in (1, 3):
        pixels = decode(source, channels, size)
    else:
        raise InputError(
            f"the model takes {channels} channels, an image file has 1 or 3: give an array (H, W, {channels})."
        )
    return as_model_takes(pixels, pixel_format) if pixels.dtype == np.uint8 else pixels


def as_model_takes(pixels: np.ndarray, pixel_format: PixelFormat) -> np.ndarray:
    """Pixels of 8 bits in the type and range of a model."""
    if pixel_format.dtype == "uint8":
        return pixels
    return rescale(pixels.astype(np.float32), PIXELS, pixel_format.value_range)


def _from_array(pixels: np.ndarray, channels: int, size: tuple[int, int] | None, dtype: str) -> np.ndarray:
    floating = dtype != "uint8" and pixels.dtype.kind == "f"
    if not floating and channels in (1, 3):
        return convert(pixels, channels, size)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    known = floating or pixels.dtype == np.uint8
    if not known or pixels.ndim != 3 or pixels.shape[2] != channels or not pixels.size:
        raise InputError(
            f"an image for this model is uint8{'' if dtype == 'uint8' else ' or floating-point'} (H, W, {channels}), "
            f"not {pixels.dtype} {pixels.shape}."
        )
    pixels = pixels.astype(np.float32) if floating else pixels
    return resize(pixels, size) if size else pixels
