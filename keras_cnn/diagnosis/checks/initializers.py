"""Do the initial weights suit the activation at this depth? Estimated from the weights alone."""

import math
from collections.abc import Iterator

import keras
import numpy as np

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.graph import activation_after, fan_in, kernel_layers, kernels_of, layers_of
from keras_cnn.diagnosis.suggestions import BATCH_NORM, INITIALIZER, SKIP, TENTH

# fan_in times the kernel's variance, at which a layer hands on the signal of the one before as strong as it came:
# He et al. 2015, section 2.2, for ReLU; Klambauer et al. 2017 for SELU; 1 / slope at 0 squared for the others
NEEDED = {
    "relu": 2.0,
    "leaky_relu": 2.0,
    "elu": 1.5,
    "gelu": 2.4,
    "silu": 3.0,
    "swish": 3.0,
    "selu": 1.0,
    "sigmoid": 16.0,
}
STRONGEST = 1.0  # what is needed of linear, tanh and unknown ones
VANISHING_GAIN, EXPLODING_GAIN = (
    1e-2,
    1e2,
)  # the signal after all hidden layers, as a multiple of what went in
MERGES = (keras.layers.Add, keras.layers.Concatenate, keras.layers.Multiply)
NORMALIZES = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
)


def initializer_findings(model: keras.Model) -> Iterator[Finding]:
    """One finding where the signal fades, or swells, on its way through the hidden layers of a plain net."""
    layers = layers_of(model)
    if any(isinstance(layer, MERGES + NORMALIZES) for layer in layers):
        return
    hidden = kernel_layers(model)[:-1]
    gains = [gain(layer, activation_after(layer, model)) for layer in hidden if layer.built]
    if not gains or min(gains) == 0:
        return
    total = math.prod(gains)
    numbers = {"layers": float(len(gains)), "each": total ** (1 / len(gains)), "all": total}
    if total < VANISHING_GAIN:
        yield Finding(
            "initializer_too_small",
            f"By its initial weights each of {len(gains)} hidden layers hands on {numbers['each']:.2g} of the signal, "
            f"all together {total:.1e}.",
            "The initializer does not suit the activation at this depth: what differs between images fades on its "
            "way, and so does the gradient on its way back.",
            (INITIALIZER, BATCH_NORM, SKIP),
            0.5,
            hidden[0].name,
            numbers,
            ("initialization", "lsuv", "batch_normalization", "activation", "skip_connections"),
        )
    elif total > EXPLODING_GAIN:
        yield Finding(
            "initializer_too_large",
            f"By its initial weights each of {len(gains)} hidden layers hands on {numbers['each']:.2g} times the "
            f"signal, all together {total:.1e} times.",
            "The initializer does not suit the activation at this depth: activations and gradients grow from layer "
            "to layer.",
            (TENTH, INITIALIZER, BATCH_NORM),
            0.4,
            hidden[0].name,
            numbers,
            ("initialization", "lsuv", "batch_normalization"),
        )


def gain(layer: keras.layers.Layer, activation: str) -> float:
    """How much of its input's deviation a layer hands on: sqrt(fan_in var(kernel) / what the activation needs)."""
    squares = [np.mean(keras.ops.convert_to_numpy(kernel) ** 2) for kernel in kernels_of(layer)]
    return float(np.sqrt(fan_in(layer) * math.prod(squares) / NEEDED.get(activation, STRONGEST)))
