"""Odd image files become plain pixels, and what is no image becomes one clear line."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from keras_cnn.data.decode import (
    ORIENTATION,
    decode,
    header,
    mixed_sizes,
    resize,
    resize_nearest,
)
from keras_cnn.data.mask_file import decode_mask
from keras_cnn.errors import InputError


def as_bytes(image: Image.Image, format: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def test_gray_and_color_keep_their_values():
    gray = np.arange(6, dtype=np.uint8).reshape(2, 3)
    color = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    np.testing.assert_array_equal(decode(as_bytes(Image.fromarray(gray))), gray[..., None])
    np.testing.assert_array_equal(decode(as_bytes(Image.fromarray(color))), color)


def test_decode_converts_to_the_requested_channels():
    red = as_bytes(Image.new("RGB", (1, 1), (255, 0, 0)))
    assert decode(red, channels=1).tolist() == [[[76]]]  # 0.299 of red
    assert decode(as_bytes(Image.new("L", (1, 1), 9)), channels=3).tolist() == [[[9, 9, 9]]]


def test_sixteen_bits_are_scaled_not_clipped():
    values = np.array([[0, 128, 129, 32896, 65535]], np.uint16)
    assert decode(as_bytes(Image.fromarray(values))).ravel().tolist() == [0, 0, 1, 128, 255]


def test_sixteen_bit_pgm_is_scaled_too():
    assert decode(b"P5 2 1 65535\n\x00\x00\xff\xff").ravel().tolist() == [0, 255]


def test_black_and_white_spans_the_range():
    assert decode(as_bytes(Image.fromarray(np.array([[True, False]])))).ravel().tolist() == [255, 0]


def test_cmyk_becomes_rgb():
    image = as_bytes(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")
    pixels = decode(image)
    assert pixels.shape == (8, 8, 3)
    assert pixels[0, 0, 0] > 240 and pixels[0, 0, 1] < 15


def test_decode_transparent_palette_is_composited_on_white():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 0, 0, 0])
    image.putdata([0, 1])
    assert decode(as_bytes(image, transparency=1)).tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_alpha_is_blended_with_white():
    assert decode(as_bytes(Image.new("RGBA", (1, 1), (0, 0, 0, 102)))).tolist() == [[[153, 153, 153]]]
    assert decode(as_bytes(Image.new("LA", (1, 1), (0, 102)))).tolist() == [[[153]]]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
def test_exif_turns_the_image_and_its_header_agrees(format):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    image = Image.fromarray(np.array([[0] * 16, [255] * 16], np.uint8).repeat(8, axis=0))  # black over white
    data = as_bytes(image, format, exif=exif)
    pixels = decode(data)
    assert pixels.shape == (16, 16, 1)
    assert pixels[:, 0].mean() > 250 and pixels[:, -1].mean() < 5  # black is on the right now
    wide = as_bytes(Image.new("L", (6, 2)), format, exif=exif)
    assert header(wide).size == decode(wide).shape[:2] == (6, 2)


def test_header_has_size_and_grayness():
    assert header(as_bytes(Image.new("L", (3, 2)))).size == (2, 3)
    assert header(as_bytes(Image.new("LA", (1, 1)))).gray
    assert not header(as_bytes(Image.new("P", (1, 1)))).gray


def test_animation_gives_its_first_frame():
    frames = [Image.new("L", (2, 2), value) for value in (7, 200)]
    data = as_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data, channels=1).ravel().tolist() == [7] * 4


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that claims side x side pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    head = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + head + struct.pack(">I", 100) + b"IDAT"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 60_000])  # Pillow alone: a mere warning, an error
def test_bombs_are_refused(side):
    with pytest.raises(InputError, match=r"not a readable image \(.*pixels"):
        decode(bomb(side))


@pytest.mark.parametrize("data", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n"])
def test_decode_of_no_image_lists_allowed_formats(data):
    with pytest.raises(InputError, match=r"no image of a known format\. Allowed: BMP, .*JPEG"):
        decode(data)


def test_floats_have_no_range():
    with pytest.raises(InputError, match="floating-point"):
        decode(as_bytes(Image.fromarray(np.zeros((2, 2), np.float32)), "TIFF"))


def test_a_file_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(InputError, match=r"notes\.txt"):
        decode(tmp_path / "notes.txt")


@pytest.mark.parametrize("read", [decode, decode_mask, header])
def test_a_file_that_is_missing_is_said_to_be_missing(tmp_path, read):
    with pytest.raises(InputError, match=r"there is no '.*nix\.png'\.$"):
        read(tmp_path / "nix.png")


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(InputError, match="is a folder, where a regular file is needed"):
        decode(tmp_path)


NOISE = np.random.RandomState(0).randint(0, 256, (32, 32, 3), np.uint8)
WHOLE = {
    format: as_bytes(Image.fromarray(NOISE), format)
    for format in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
}


@pytest.mark.parametrize("format", WHOLE)
def test_half_a_file_is_refused(format):
    with pytest.raises(InputError):
        decode(WHOLE[format][: len(WHOLE[format]) // 2])


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(WHOLE)), st.integers(0, 4000), st.binary(min_size=1, max_size=8))
def test_damaged_bytes_never_crash(format, position, damage):
    data = bytearray(WHOLE[format])
    position %= len(data)
    data[position : position + len(damage)] = damage
    try:
        pixels = decode(bytes(data), channels=3)
    except InputError:
        return
    assert pixels.dtype == np.uint8 and pixels.shape[-1] == 3


def test_resize_averages_what_it_shrinks():
    checks = np.indices((64, 64)).sum(axis=0)[..., None] % 2 * 255
    small = resize(checks.astype(np.uint8), (4, 8))
    assert small.shape == (4, 8, 1) and small.dtype == np.uint8
    assert abs(small.astype(int) - 127).max() <= 2


def test_resize_keeps_left_and_right():
    halves = np.repeat(np.array([[0, 0, 255, 255]], np.uint8), 4, axis=0)[..., None]  # white on the right
    assert resize(halves, (2, 8))[..., 0].tolist() == [[0, 0, 0, 64, 191, 255, 255, 255]] * 2


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3])),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.integers(0, 255),
)
def test_resize_gives_height_and_width_and_keeps_a_plain_color(shape, size, value):
    resized = resize(np.full(shape, value, np.uint8), size)
    assert resized.shape == (*size, shape[-1])
    assert (resized == value).all()


def test_resize_nearest_takes_the_pixel_that_contains_the_center():
    values = np.arange(36).reshape(9, 4)
    found = resize_nearest(values, (4, 8))
    assert found[:, 0].tolist() == [4, 12, 20, 28]  # rows 1, 3, 5, 7
    assert found[0].tolist() == [4, 4, 5, 5, 6, 6, 7, 7]
    assert resize_nearest(values, (9, 4)) is values


def test_mixed_sizes_names_smallest_and_largest():
    message = str(mixed_sizes("pets", {(10, 20), (3, 4), (100, 5)}))
    assert "'pets'" in message and "3 x 4 to 100 x 5" in message and "--image_size" in message


def test_decode_mask_applies_exif_orientation():
    mask, exif = np.arange(6, dtype=np.uint8).reshape(2, 3), Image.Exif()
    exif[ORIENTATION] = 6  # the camera was turned: rotate by 90 degrees clockwise
    turned = decode_mask(as_bytes(Image.fromarray(mask), exif=exif))
    np.testing.assert_array_equal(turned, np.rot90(mask, -1))
