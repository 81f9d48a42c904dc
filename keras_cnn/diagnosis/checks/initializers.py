"""Whether the initial weights suit the activation at this depth, estimated from the weights alone."""

import math
from collections.abc import Iterator

import keras
import numpy as np

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import activation_after, fan_in, kernel_layers, kernels_of, layers_of

# fan_in x var(kernel) at which a layer preserves the variance of its input: He et al. 2015, section 2.2, for ReLU;
# Klambauer et al. 2017 for SELU; 1 / (slope at 0)^2 for the others
VARIANCE_FACTORS = {
    "relu": 2.0,
    "leaky_relu": 2.0,
    "elu": 1.5,
    "gelu": 2.4,
    "silu": 3.0,
    "swish": 3.0,
    "selu": 1.0,
    "sigmoid": 16.0,
}
DEFAULT_VARIANCE_FACTOR = 1.0  # of linear, tanh and unknown activations
# standard deviation of the signal after all hidden layers, as a ratio of that of the input; set by hand
VANISHING_GAIN, EXPLODING_GAIN = 1e-2, 1e2
MERGES = (keras.layers.Add, keras.layers.Concatenate, keras.layers.Multiply)
NORMALIZATION_LAYERS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
)


def initializer_findings(model: keras.Model) -> Iterator[Finding]:
    """At most one finding: the signal vanishes or explodes in the hidden layers.

    Models with merges (skip connections, branches) or normalization layers are not examined.
    """
    layers = layers_of(model)
    if any(isinstance(layer, MERGES + NORMALIZATION_LAYERS) for layer in layers):
        return
    hidden = kernel_layers(model)[:-1]
    gains = [gain(layer, activation_after(layer, model)) for layer in hidden if layer.built]
    if not gains or min(gains) == 0:
        return
    total = math.prod(gains)
    numbers = {"layers": float(len(gains)), "each": total ** (1 / len(gains)), "all": total}
    if VANISHING_GAIN <= total <= EXPLODING_GAIN:
        return
    message = (
        f"Initial weights multiply the standard deviation of the signal by {numbers['each']:.2g} in each of "
        f"{len(gains)} hidden layers, by {total:.1e} in all of them."
    )
    if total < VANISHING_GAIN:
        yield make_finding("initializer_too_small", message, 0.5, hidden[0].name, numbers)
    else:
        yield make_finding("initializer_too_large", message, 0.4, hidden[0].name, numbers)


def gain(layer: keras.layers.Layer, activation: str) -> float:
    """Ratio of the standard deviations of a layer's output and input: sqrt(fan_in x var(kernel) / factor).

    Args:
        layer: a layer with kernels.
        activation: name of the activation that follows it.

    Returns:
        1 where the layer preserves the variance.
    """
    squares = [np.mean(keras.ops.convert_to_numpy(kernel) ** 2) for kernel in kernels_of(layer)]
    factor = VARIANCE_FACTORS.get(activation, DEFAULT_VARIANCE_FACTOR)
    return float(np.sqrt(fan_in(layer) * math.prod(squares) / factor))
