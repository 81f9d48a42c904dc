"""The outputs of a net here and of the same one of keras.applications, with equal weights."""

import keras
import numpy as np

from keras_cnn.models.pretrained import copy_weights


def assert_equals_reference(model: keras.Model, reference: keras.Model, relative: float) -> None:
    """Raise AssertionError where the last feature maps or the probabilities differ.

    Vectors of `reference` are drawn anew, because those of 0 and 1 would hide one that is missing; its moving
    statistics become those of the images, so that the last layers still depend on them. relative: of the largest value
    of the feature maps.
    """
    random = np.random.default_rng(0)
    side = model.input_shape[1]
    images = random.uniform(0, 1, (2, side, side, 3)).astype(np.float32)
    images[0, : side // 2, : side // 3] *= 200  # which place is where must matter
    reference.set_weights([_drawn(weight, random) for weight in reference.weights])
    _observe(reference, images)
    assert copy_weights(model, reference) == []  # no layer keeps its own
    for found, expected in zip(_outputs(model, images), _outputs(reference, images), strict=True):
        assert np.std(expected[0] - expected[1]) > 0.1 * np.std(expected)
        np.testing.assert_allclose(found, expected, rtol=0, atol=relative * np.abs(expected).max())


def _drawn(weight: keras.Variable, random: np.random.Generator) -> np.ndarray:
    if len(weight.shape) != 1 or "normalization/" in weight.path:
        return keras.ops.convert_to_numpy(weight)
    if weight.path.endswith(("gamma", "variance")):
        return random.uniform(0.5, 1.5, weight.shape)
    return random.normal(0, 0.1, weight.shape)


def _observe(net: keras.Model, images: np.ndarray) -> None:
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    net(images, training=True)


def _outputs(net: keras.Model, images: np.ndarray) -> list[np.ndarray]:
    """What is averaged over the pixels, and the probabilities."""
    pool = [layer for layer in net.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)][-1]
    both = keras.Model(net.input, [pool.input, net.output])(images, training=False)
    return [keras.ops.convert_to_numpy(tensor) for tensor in both]
