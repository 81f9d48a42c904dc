"""Order, bottlenecks and fan-in of layers, compared with models whose structure is known."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cnn.diagnosis.graph.graph import (
    activation_after,
    bottleneck_layers,
    fan_in,
    kernels_of,
    operations_of,
)


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
def test_fan_in_unit_weights_equals_variance_gain(layer):
    random = np.random.default_rng(0)
    x = random.normal(size=(32, 16, 16, 10)).astype("float32")
    layer.build(x.shape)
    for weight in layer.weights:
        kernel = any(weight is one for one in kernels_of(layer))
        weight.assign(random.choice([-1.0, 1.0], weight.shape) if kernel else np.zeros(weight.shape))
    outputs = keras.ops.convert_to_numpy(layer(x))[:, 4:-4, 4:-4]
    assert outputs.var() == pytest.approx(fan_in(layer), rel=0.05)


def test_bottleneck_layers_branches_are_excluded():
    x = inputs = keras.Input((8, 8, 4), name="images")
    x = layers.Conv2D(4, 3, padding="same", name="first")(x)
    gate = layers.Dense(1, name="squeezed")(layers.GlobalAveragePooling2D(keepdims=True, name="means")(x))
    x = layers.Multiply(name="gated")([x, layers.Dense(4, name="gate")(gate)])
    inner = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(2, 1, name="inner")], name="nested")
    y = inner(x)
    x = layers.Concatenate(name="both")([y, layers.Conv2D(1, 1, name="side")(y)])
    model = keras.Model(inputs, layers.Flatten(name="end")(x))
    names = [layer.name for layer in bottleneck_layers(model)]
    assert [name for name in names if not name.startswith("input")] == [
        *("images", "first", "gated", "inner", "both", "end")
    ]


def test_bottleneck_layers_inside_custom_layers_are_excluded():
    class Gate(layers.Layer):
        def __init__(self):
            super().__init__(name="gate")
            self.inner = keras.Sequential([layers.Dense(1, name="narrow"), layers.Dense(4, name="wide")])

        def call(self, x):
            return x * self.inner(x)

    model = keras.Sequential([keras.Input((4,), name="images"), Gate(), layers.Dense(2, name="end")])
    assert [layer.name for layer in bottleneck_layers(model)] == ["images", "gate", "end"]
    assert {"narrow", "wide"} < {one.name for one in operations_of(model)}


def test_operations_of_nested_model_in_order_of_execution():
    class Pair(layers.Layer):
        def __init__(self, name):
            super().__init__(name=name)
            self.one, self.two = (layers.Dense(4, name=f"{name}_{end}") for end in ("one", "two"))

        def call(self, x):
            return self.two(self.one(x))

    stack = [layers.Conv2D(4, 1, name="conv"), layers.ReLU(name="relu"), Pair("pair")]
    inner = keras.Sequential([keras.Input((8, 8, 4)), *stack], name="nested")
    inputs = keras.Input((8, 8, 4))
    x = keras.ops.tanh(layers.Dense(4, name="between")(inner(inputs)))
    model = keras.Model(inputs, layers.Dense(2, name="end")(x + 1.0))
    names = [one.name for one in operations_of(model)]
    assert [name for name in names if not name.startswith(("input", "tanh", "add"))] == [
        *("conv", "relu", "pair", "pair_one", "pair_two", "between", "end")
    ]
    assert names.index("between") + 2 == names.index("end") - 1  # tanh, add
    found = {layer.name: activation_after(layer, model) for layer in operations_of(model)}
    assert (found["conv"], found["between"], found["end"]) == ("relu", "tanh", "linear")


def test_bottleneck_layers_on_half_the_channels_are_excluded():
    x = inputs = keras.Input((8, 8, 4))
    y = layers.Conv2D(2, 1, name="half")(x[..., :2])
    x = keras.ops.concatenate([y, x[..., 2:]], axis=-1)
    x = layers.Conv2D(3, 1, name="all")(x)
    model = keras.Model(inputs, x + layers.Conv2D(3, 1, name="side")(x))
    names = [layer.name for layer in bottleneck_layers(model)]
    assert names[1:] == ["all"]
