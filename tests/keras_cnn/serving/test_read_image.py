"""Images of files and arrays reach a model in its own type, range and channels."""

import io
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from keras_cnn.errors import InputError
from keras_cnn.serving.read_image import read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)


@dataclass(frozen=True)
class Format:
    dtype: str
    value_range: tuple[float, float]


EIGHT_BITS, SIGNED = Format("uint8", (0, 255)), Format("float32", (-1, 1))


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("source", [PIXELS, png(PIXELS)])
def test_read_image_of_eight_bits_is_scaled_into_a_float_range(source):
    np.testing.assert_array_equal(read_image(source, 3, None, EIGHT_BITS), PIXELS)
    found = read_image(source, 3, None, SIGNED)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, PIXELS / 127.5 - 1, atol=1e-6)


def test_read_image_of_floats_keeps_their_values_and_is_resized():
    floats = np.random.default_rng(0).random((9, 7, 5))
    np.testing.assert_array_equal(read_image(floats, 5, None, SIGNED), floats.astype(np.float32))
    assert read_image(floats, 5, (3, 4), SIGNED).shape == (3, 4, 5)
    assert read_image(floats[..., 0], 1, None, SIGNED).shape == (9, 7, 1)


@pytest.mark.parametrize(
    ("source", "channels", "form", "message"),
    [
        (
            png(PIXELS),
            2,
            EIGHT_BITS,
            r"takes 2 channels, an image file has 1 or 3: give an array \(H, W, 2\)",
        ),
        (PIXELS, 2, EIGHT_BITS, r"is uint8 \(H, W, 2\), not uint8 \(9, 7, 3\)"),
        (PIXELS / 255, 2, SIGNED, r"is uint8 or floating-point \(H, W, 2\), not float64 \(9, 7, 3\)"),
        (PIXELS / 255, 3, EIGHT_BITS, "an image is uint8 .*, not float64"),
    ],
)
def test_read_image_refuses_other_channels_and_types(source, channels, form, message):
    with pytest.raises(InputError, match=message):
        read_image(source, channels, None, form)
