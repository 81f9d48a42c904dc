"""Image files to pixels: what is accepted, and how odd files become uint8 (H, W, 1) or (H, W, 3)."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_cnn.errors import InputError
from keras_cnn.input_files import check_file

if TYPE_CHECKING:
    from PIL import Image

# Pillow also opens EPS, which starts Ghostscript: only formats of pixels are let in.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}  # of such files
MAX_PIXELS = 89_478_485  # where Pillow warns of a decompression bomb; it refuses only twice as many
MAX_BYTES = 1_000_000_000  # of a file: so many pixels of four channels of 16 bits have 716 MB
SIXTEEN_BITS = {"I", "I;16", "I;16B", "I;16L", "I;16N"}
GRAY = {"1", "L", "LA", *SIXTEEN_BITS}
ORIENTATION, SIDEWAYS = 0x0112, {5, 6, 7, 8}  # the EXIF tag, and its values that swap height and width
EXIF_KEYS = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}


@dataclass(frozen=True)
class Header:
    """What a file says of its image. size: (height, width), as it is once decoded. pages: of a TIFF file, else 1."""

    gray: bool
    size: tuple[int, int]
    pages: int = 1


def header(source: str | Path | bytes) -> Header:
    """Reads the header alone. Raises InputError where the bytes are no image of `FORMATS`."""
    with opened(source) as image:
        # Pillow turns TIFF by itself; without any of the keys, `getexif` would decode a PNG to look behind it.
        has_exif = image.format != "TIFF" and image.info.keys() & EXIF_KEYS
        sideways = has_exif and image.getexif().get(ORIENTATION) in SIDEWAYS
        width, height = image.size[::-1] if sideways else image.size
        pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
        return Header(image.mode in GRAY, (height, width), pages)


def decode(
    source: str | Path | bytes, channels: int | None = None, size: tuple[int, int] | None = None
) -> np.ndarray:
    """Read the pixels of an image file: upright by EXIF, transparency on white, 16 bits scaled to 8.

    Args:
        source: the file, or its bytes; of an animation the first frame counts.
        channels: 1 (gray) or 3 (RGB); None keeps gray images gray.
        size: (height, width) to resize to, as `resize` does; None keeps the image's own.

    Returns:
        uint8 (H, W, channels).

    Raises:
        InputError: where the image is broken, too large or of floating-point pixels.
    """
    from PIL import ImageOps

    with opened(source) as image:
        ImageOps.exif_transpose(image, in_place=True)  # a copy may take a third of a GB
        channels = channels or (1 if image.mode in GRAY else 3)
        return _pixels(image, "L" if channels == 1 else "RGB", size)


def convert(pixels: np.ndarray, channels: int, size: tuple[int, int] | None = None) -> np.ndarray:
    """uint8 (H, W), (H, W, 1), (H, W, 3) or, with alpha, (H, W, 4) -> (H, W, channels), as `decode` does it.

    size: as in `decode`. Raises InputError for an array of another kind.
    """
    from PIL import Image

    depth = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or depth not in (1, 3, 4) or not pixels.size:
        raise InputError(
            f"an image is uint8 (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {pixels.dtype} {pixels.shape}."
        )
    image = Image.fromarray(pixels.reshape(pixels.shape[:2]) if depth == 1 else pixels)
    return _pixels(image, "L" if channels == 1 else "RGB", size)


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 or float32 (H, W, C) -> (*size, C), size = (height, width). Bilinear; where it shrinks, it averages."""
    from PIL import Image

    if image.shape[:2] == tuple(size):
        return image
    if image.dtype != np.uint8 or image.shape[-1] not in (1, 3):
        planes = (Image.fromarray(image[..., channel]) for channel in range(image.shape[-1]))
        return np.stack(
            [np.asarray(plane.resize(size[::-1], Image.Resampling.BILINEAR)) for plane in planes], -1
        )
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    return np.asarray(picture.resize(size[::-1], Image.Resampling.BILINEAR)).reshape(*size, image.shape[-1])


def resize_nearest(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Values (H, W, ...) -> (*size, ...), size = (height, width): each the one of the pixel that contains its center.

    For masks, and for probabilities of masks: an average of two class numbers is a third class.
    """
    if values.shape[:2] == tuple(size):
        return values
    sides = zip(values.shape[:2], size, strict=True)
    return values[np.ix_(*(((np.arange(new) + 0.5) * old / new).astype(int) for old, new in sides))]


def mixed_sizes(name: str, sizes: Iterable[tuple[int, int]]) -> InputError:
    """The error for images of several sizes, each (height, width), that were to be stacked as they are."""
    ordered = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    (h, w), (tall, wide) = ordered[0], ordered[-1]
    return InputError(
        f"the images of {name!r} differ in size, from {h} x {w} to {tall} x {wide} (height x width). "
        "Give one size for all, e.g. --image_size 96 96."
    )


@contextmanager
def opened(source: str | Path | bytes, allowed: Sequence[str] = FORMATS) -> Iterator["Image.Image"]:
    """The image, not decoded yet; whatever goes wrong while it is open becomes an InputError that names `allowed`."""
    from PIL import Image, UnidentifiedImageError

    what = "the upload" if isinstance(source, bytes) else repr(str(source))
    if not isinstance(source, bytes):
        check_file(source, MAX_BYTES)
    rule = f"Allowed: {', '.join(allowed)}."
    try:
        with Image.open(
            io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS
        ) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels are too many")
            yield image
    except UnidentifiedImageError as error:
        raise InputError(f"{what} is no image of a known format. {rule}") from error
    except Exception as error:  # Pillow's parsers raise whatever they stumble on, not only OSError
        if isinstance(error, OSError) and error.errno:  # the system's: its cause is not the format
            raise InputError(f"{what} cannot be read: {error.strerror}.") from error
        raise InputError(f"{what} is not a readable image ({error}). {rule}") from error


def _pixels(image: "Image.Image", mode: str, size: tuple[int, int] | None) -> np.ndarray:
    from PIL import Image

    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range")
    if image.mode in SIXTEEN_BITS:
        values = np.clip(np.asarray(image), 0, 65535).astype(np.uint32)
        image = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image if image.mode == mode else image.convert(mode)
    if size:
        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    pixels = np.array(image)
    return pixels.reshape(*pixels.shape[:2], -1)  # gray comes without the axis of channels
