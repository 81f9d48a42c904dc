"""Models for scikit-learn's digits that learn, and models with one fault each."""

from functools import cache

import keras
import numpy as np
from keras import layers

from keras_cnn.data.sources import load
from keras_cnn.diagnosis.diagnose import diagnose
from keras_cnn.diagnosis.result import Diagnosis

CLASSES = 10
DEEP = {"depth": 12, "activation": "sigmoid", "initializer": "glorot_uniform"}  # signal_fades


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,000 images, float32 (N, 16, 16, 1) of mean 0 and standard deviation 1, and labels (N,)."""
    train = load("digits").train
    x = train.images[:1000].astype("float32")
    return (x - x.mean()) / x.std(), train.labels[:1000].astype("int32")


class Stack(keras.Model):
    """A subclassed model that applies layers in sequence."""

    def __init__(self, stack):
        super().__init__()
        self.stack = list(stack)

    def call(self, x, training=None):
        for layer in self.stack:
            x = layer(x, training=training) if isinstance(layer, layers.BatchNormalization) else layer(x)
        return x


class Block(layers.Layer):
    """A custom layer with an inner dense layer, before and after which no remedy can insert layers."""

    def __init__(self, activation="sigmoid", initializer="zeros", **options):
        super().__init__(**options)
        self.dense = layers.Dense(16, activation=activation, kernel_initializer=initializer)

    def call(self, x):
        return self.dense(x)


def of_blocks(*blocks) -> keras.Model:
    keras.utils.set_random_seed(0)
    stack = [layers.Flatten(), *blocks, layers.Dense(10, activation="softmax")]
    model = keras.Sequential([keras.Input((16, 16, 1)), *stack])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def net(
    depth: int = 3,
    *,
    activation: str = "relu",
    initializer: str = "he_normal",
    rate: float | None = 1e-3,
    batch_norm: bool = False,
    bias: float = 0.0,
    units: int = 32,
    head: str | None = "softmax",
    kind: str = "functional",
    loss: object = "sparse_categorical_crossentropy",
    shape: tuple = (16, 16, 1),
) -> keras.Model:
    """A convolution and `depth` - 1 hidden dense layers, the last of them with `bias`; compiled unless `rate` is None.

    kind: functional, sequential, subclassed, nested, or operations (activations as functions instead of layers).
    """
    keras.utils.set_random_seed(0)
    common = {"kernel_initializer": initializer}
    stack = [
        layers.Conv2D(4, 3, strides=2, activation=activation, name="conv", **common),
        layers.Flatten(name="flatten"),
    ]
    for index in range(1, depth):
        last = index == depth - 1
        start = keras.initializers.Constant(bias) if last else "zeros"
        stack.append(layers.Dense(units, bias_initializer=start, name=f"dense{index}", **common))
        stack += [layers.BatchNormalization(name=f"bn{index}")] if batch_norm else []
        stack.append(layers.Activation(activation, name=f"act{index}"))
    stack.append(layers.Dense(CLASSES, activation=head, name="predictions"))
    if kind == "subclassed":
        model = Stack(stack)
        model(np.zeros((1, *shape), "float32"))
    elif kind == "sequential":
        model = keras.Sequential([keras.Input(shape), *stack])
    elif kind == "nested":
        backbone = keras.Sequential([keras.Input(shape), *stack[:-1]], name="backbone")
        inputs = keras.Input(shape)
        model = keras.Model(inputs, stack[-1](backbone(inputs)))
    elif kind == "operations":
        x = inputs = keras.Input(shape)
        for layer in stack:
            x = layer.activation(x) if isinstance(layer, layers.Activation) else layer(x)
        model = keras.Model(inputs, x)
    else:
        x = inputs = keras.Input(shape)
        for layer in stack:
            x = layer(x)
        model = keras.Model(inputs, x)
    if rate is not None:
        model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def in_half_precision(model: keras.Model) -> keras.Model:
    """A copy that computes in float16, uncompiled, with the same weights."""

    def remake(layer):
        return type(layer).from_config(layer.get_config() | {"dtype": "mixed_float16"})

    half = keras.models.clone_model(model, clone_function=remake)
    half.set_weights(model.get_weights())
    return half


def everything(model: keras.Model) -> list[np.ndarray]:
    """All variables of a model: weights, moving statistics, random states, and those of its optimizer."""
    variables = [*model.variables, *(model.optimizer.variables if model.compiled else [])]
    return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]


@cache
def diagnosis_of(**arguments) -> Diagnosis:
    """The diagnosis of `net(**arguments)` with `digits()`, made once per process."""
    return diagnose(net(**arguments), digits())
