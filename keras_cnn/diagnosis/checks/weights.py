"""Findings on the weights of a model, initial or trained, without data."""

from collections.abc import Iterator

import keras
import numpy as np

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import KERNEL_LAYERS, activation_of, kernels_of, layers_of, predecessors

# whose weights are means and variances, of any size
STATISTICS_LAYERS = (keras.layers.Normalization, keras.layers.BatchNormalization)
MAX_WEIGHT = 1e3  # absolute value, for inputs of standard deviation about 1; set by hand


def _biases(model: keras.Model) -> Iterator[Finding]:
    for layer in layers_of(model):
        if not isinstance(layer, keras.layers.BatchNormalization) or not layer.center:
            continue
        for parent in predecessors(layer, model):
            if isinstance(parent, KERNEL_LAYERS) and parent.use_bias and activation_of(parent) == "linear":
                message = "The layer adds a bias directly before batch normalization."
                yield make_finding("bias_before_batch_normalization", message, 0.1, parent.name)


def _weights(model: keras.Model) -> Iterator[Finding]:
    for layer in layers_of(model):
        for weight in layer.weights:
            yield from _values(layer, weight)
        for kernel in _kernels(layer):
            if kernel.size > 1 and np.ptp(kernel) == 0:
                value = float(kernel.flat[0])
                message = f"All {kernel.size} weights of the kernel equal {value:g}."
                yield make_finding("constant_kernel", message, 1.0, layer.name, {"value": value})


def _values(layer: keras.layers.Layer, weight) -> Iterator[Finding]:
    values = keras.ops.convert_to_numpy(weight)
    if values.dtype.kind != "f" or not values.size:
        return
    broken = int(np.size(values) - np.isfinite(values).sum())
    if broken:
        message = f"{broken} of the {values.size} values in {weight.name} are NaN or infinite."
        yield make_finding("weights_not_finite", message, 1.0, layer.name, {"not_finite": broken})
    elif np.abs(values).max() > MAX_WEIGHT and not isinstance(layer, STATISTICS_LAYERS):
        largest = float(np.abs(values).max())
        message = f"The largest absolute value in {weight.name} is {largest:.3g}."
        yield make_finding("weights_huge", message, 0.7, layer.name, {"largest": largest})


def _kernels(layer: keras.layers.Layer) -> list[np.ndarray]:
    if not isinstance(layer, KERNEL_LAYERS) or not layer.built:
        return []
    return [keras.ops.convert_to_numpy(kernel) for kernel in kernels_of(layer)]


def _equal_kernels(model: keras.Model) -> Iterator[Finding]:
    first_layers: dict[bytes, str] = {}
    kernels = [(layer, kernel) for layer in layers_of(model) for kernel in _kernels(layer)]
    for layer, kernel in kernels:
        if kernel.size < 2 or np.ptp(kernel) == 0:
            continue
        key = str(kernel.shape).encode() + kernel.tobytes()
        if key in first_layers:
            message = f"The kernel has the same values as that of {first_layers[key]}."
            yield make_finding("same_initial_weights", message, 0.4, layer.name)
        first_layers[key] = layer.name


def _frozen(model: keras.Model) -> Iterator[Finding]:
    if model.weights and not model.trainable_weights:
        yield make_finding("all_frozen", f"0 of {len(model.weights)} weight arrays are trainable.", 1.0)


WEIGHT_CHECKS = (_biases, _weights, _equal_kernels, _frozen)
