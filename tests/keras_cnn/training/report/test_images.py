"""Which test images are shown, and as what."""

import base64
import io
from dataclasses import replace

import keras
import numpy as np
from PIL import Image

from keras_cnn.training.report.images import LONGER_SIDE, least_sure, most_wrong, shown_images, to_uri

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.45, 0.55], [0.6, 0.4], [0.01, 0.99]])
TRUTH = np.array([0, 0, 0, 0, 1])


def decoded(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,")))))


def test_most_wrong_are_the_surest_of_the_wrong_answers():
    assert most_wrong(PROBABILITIES, TRUTH).tolist() == [1, 2]
    assert most_wrong(PROBABILITIES, PROBABILITIES.argmax(axis=1)).tolist() == []


def test_least_sure_have_the_nearest_two_classes():
    assert least_sure(PROBABILITIES).tolist() == [2, 3, 1, 0, 4]
    three = np.array([[0.5, 0.49, 0.01], [0.4, 0.3, 0.3]])
    assert least_sure(three).tolist() == [0, 1]


def test_to_uri_is_a_png_of_the_same_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    np.testing.assert_array_equal(decoded(to_uri(pixels)), pixels)
    np.testing.assert_array_equal(decoded(to_uri(pixels[..., :1])), pixels[..., 0])


def test_shown_image_says_answer_and_truth_and_has_grad_cam(data):
    given = keras.Input(data.facts.shape)
    maps = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(given))
    model = keras.Model(given, keras.layers.Activation("softmax", name="probabilities")(maps))
    test = data.load_test()
    wrong, right = shown_images(
        model, test, PROBABILITIES, np.array([1, 4]), replace(data.facts, classes=("l", "r"))
    )
    assert test.labels[1] == 1 and wrong.text == "r 80%"
    assert (
        test.labels[4] == 0
        and right.text == "r 99%, is l (1%)"
        and right.alt == f"test image 4: {right.text}"
    )
    np.testing.assert_array_equal(decoded(wrong.picture), test.images[1])
    assert decoded(wrong.heat).shape == (16, 16, 3)


def test_shown_image_that_is_large_is_smaller_and_without_grad_cam(data):
    side = 4 * LONGER_SIDE
    large = replace(
        data.load_test(), images=np.zeros((1, side, side // 2, 3), np.uint8), labels=np.zeros(1, int)
    )
    (shown,) = shown_images(None, large, PROBABILITIES, np.array([0]), data.facts)
    assert decoded(shown.picture).shape == (LONGER_SIDE, LONGER_SIDE // 2, 3) and shown.heat == ""
