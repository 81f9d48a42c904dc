"""What an output of a layer adds up, against the variance that it is measured to have."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cnn.diagnosis.graph import fan_in, kernels_of, on_every_path


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(50),
        layers.Conv2D(20, 3),
        layers.DepthwiseConv2D(3, depth_multiplier=2),
        layers.SeparableConv2D(200, 3),
        layers.Conv2DTranspose(6, 2, strides=2),
        layers.Conv2DTranspose(6, 4, strides=2, padding="same"),
    ],
    ids=lambda layer: layer.name,
)
def test_unit_weights_multiply_the_variance_by_fan_in(layer):
    random = np.random.default_rng(0)
    x = random.normal(size=(32, 16, 16, 10)).astype("float32")
    layer.build(x.shape)
    for weight in layer.weights:
        kernel = any(weight is one for one in kernels_of(layer))
        weight.assign(random.choice([-1.0, 1.0], weight.shape) if kernel else np.zeros(weight.shape))
    outputs = keras.ops.convert_to_numpy(layer(x))[:, 4:-4, 4:-4]
    assert outputs.var() == pytest.approx(fan_in(layer), rel=0.05)


def test_layers_beside_others_are_not_on_every_path():
    x = inputs = keras.Input((8, 8, 4), name="images")
    x = layers.Conv2D(4, 3, padding="same", name="first")(x)
    gate = layers.Dense(1, name="squeezed")(layers.GlobalAveragePooling2D(keepdims=True, name="means")(x))
    x = layers.Multiply(name="gated")([x, layers.Dense(4, name="gate")(gate)])
    inner = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(2, 1, name="inner")], name="nested")
    y = inner(x)
    x = layers.Concatenate(name="both")([y, layers.Conv2D(1, 1, name="side")(y)])
    model = keras.Model(inputs, layers.Flatten(name="end")(x))
    names = [layer.name for layer in on_every_path(model)]
    assert [name for name in names if not name.startswith("input")] == [
        *("images", "first", "gated", "inner", "both", "end")
    ]
