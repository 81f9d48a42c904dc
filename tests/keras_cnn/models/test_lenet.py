"""LeNet-5 and the MLP have the published counts and compute what NumPy and SciPy compute."""

import keras
import numpy as np
import pytest
from scipy.signal import correlate

from keras_cnn.models.build import build_model
from keras_cnn.models.spec import ModelSpec


def build(name, shape, classes=10, **changes) -> keras.Model:
    settings = {"normalization": "zero_one", "batch_norm": False} | changes
    return build_model(ModelSpec(name, shape, classes, **settings))


@pytest.mark.parametrize(
    ("shape", "count"), [((28, 28, 1), 61_706), ((32, 32, 1), 61_706), ((32, 32, 3), 62_006)]
)
def test_lenet_counts_are_the_published_ones(shape, count):
    assert build("lenet5", shape).count_params() == count


def test_lenet_layers_have_the_published_sizes():
    model = build("lenet5", (28, 28, 1))
    names = ("block1_conv1", "block1_pool", "block2_conv1", "block2_pool")
    shapes = [model.get_layer(name).output.shape[1:] for name in names]
    assert shapes == [(28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16)]
    names = ("block1_conv1", "block2_conv1", "fc1", "fc2", "predictions")
    assert [model.get_layer(name).count_params() for name in names] == [156, 2416, 48_120, 10_164, 850]


def reference(weights, image):
    """The forward pass for one image (28, 28, 1), written out."""
    k1, b1, k2, b2, w3, b3, w4, b4, w5, b5 = weights

    def convolve(x, kernel, bias):
        maps = [correlate(x, kernel[..., out], "valid")[..., 0] + bias[out] for out in range(len(bias))]
        return np.tanh(np.stack(maps, axis=-1))

    def pool(x):
        height, width, channels = x.shape
        return x.reshape(height // 2, 2, width // 2, 2, channels).mean((1, 3))

    x = pool(convolve(np.pad(image / 255, [(2, 2), (2, 2), (0, 0)]), k1, b1))
    x = pool(convolve(x, k2, b2)).ravel()
    x = np.tanh(np.tanh(x @ w3 + b3) @ w4 + b4) @ w5 + b5
    return np.exp(x) / np.exp(x).sum()


def test_lenet_forward_pass_equals_scipy():
    model = build("lenet5", (28, 28, 1), activation="tanh")
    random = np.random.default_rng(0)
    weights = [random.normal(0, 0.2, weight.shape) for weight in model.get_weights()]
    model.set_weights(weights)
    images = random.integers(0, 256, (3, 28, 28, 1))
    expected = [reference(weights, image) for image in images]
    np.testing.assert_allclose(model.predict(images.astype(np.uint8), verbose=0), expected, atol=1e-5)


def test_mlp_count_and_forward_pass_equal_numpy():
    model = build("mlp", (28, 28, 1), activation="sigmoid")
    assert model.count_params() == 407_050
    w1, b1, w2, b2 = model.get_weights()
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype(np.uint8)
    hidden = 1 / (1 + np.exp(-(images.reshape(3, -1) / 255 @ w1 + b1)))
    scores = np.exp(hidden @ w2 + b2)
    expected = scores / scores.sum(1, keepdims=True)
    np.testing.assert_allclose(model(images), expected, atol=1e-5)
