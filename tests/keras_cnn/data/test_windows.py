"""Windows cover images, lose no pixel, and leave no seam."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cnn.data.dataset import Split
from keras_cnn.data.windows import Window, cut, predict_image
from keras_cnn.errors import InputError

sides = st.integers(1, 40)
margins = st.integers(0, 9)


def image_of(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 1), np.uint8)


@st.composite
def cases(draw):
    inner = (draw(sides), draw(sides))
    size = tuple(part + 2 * draw(margins) for part in inner)
    return Window(size, inner), image_of(draw(sides), draw(sides))


@settings(deadline=None, max_examples=200)
@given(case=cases())
def test_a_net_that_looks_at_single_pixels_answers_as_on_the_whole(case):
    """Whatever the sizes, each pixel's answer comes from windows alone and from the right place in them."""
    window, image = case

    def predict(views):
        assert views.shape[1:3] == window.size
        return np.stack(
            [window.center(views)[..., 0] / 255.0, 1 - window.center(views)[..., 0] / 255.0], axis=-1
        )

    found = predict_image(predict, image, window)
    np.testing.assert_allclose(found[..., 0], image[..., 0] / 255.0, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-5)


@settings(deadline=None, max_examples=100)
@given(case=cases(), count=st.integers(1, 3))
def test_cut_windows_cover_every_pixel(case, count):
    window, image = case
    height, width = image.shape[:2]
    if window.inner[0] > height or window.inner[1] > width:
        with pytest.raises(InputError, match="--crop_size"):
            window.check(image.shape)
        return
    # numbers tell each pixel apart, as far as a byte goes
    masks = (np.arange(count * height * width) % 251).reshape(count, height, width).astype(np.uint8)
    found = cut(Split(masks[..., None], masks), window)
    assert len(found) == window.count(count, (height, width))
    np.testing.assert_array_equal(window.center(found.images)[..., 0], found.labels)
    assert set(found.labels.ravel()) == set(masks.ravel())


def test_beyond_the_border_the_image_is_reflected():
    row = np.arange(5, dtype=np.uint8)[None, :, None].repeat(3, axis=0)
    view = Window((3, 11), (3, 5)).view(row, 0, 0)
    assert view[0, :, 0].tolist() == [3, 2, 1, 0, 1, 2, 3, 4, 3, 2, 1]


def test_whole_images_are_left_as_they_are():
    split = Split(np.zeros((2, 8, 8, 1), np.uint8), np.zeros((2, 8, 8), np.uint8))
    assert cut(split, Window((8, 8), (8, 8))) is split


def test_windows_that_disagree_leave_no_step():
    """Each window answers with a random number of its own: what comes out changes little from pixel to pixel."""
    random = np.random.default_rng(0)

    def predict(views):
        return np.ones((len(views), 16, 16, 1)) * random.uniform(size=(len(views), 1, 1, 1))

    found = predict_image(predict, image_of(64, 64), Window((16, 16), (16, 16)))[..., 0]
    assert np.ptp(found) > 0.3
    steps = [np.abs(np.diff(found, axis=axis)).max() for axis in (0, 1)]
    assert max(steps) < 2 / 16
