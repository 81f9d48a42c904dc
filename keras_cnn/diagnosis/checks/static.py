"""All checks of a model without data, within a second: its graph, its loss, its initial weights."""

from collections.abc import Iterator

import keras

from keras_cnn.diagnosis.checks.initializers import initializer_findings
from keras_cnn.diagnosis.checks.outputs import OUTPUT_CHECKS
from keras_cnn.diagnosis.checks.weights import WEIGHT_CHECKS
from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import augmentation_layers, layers_of

WINDOW_LAYERS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.Conv2D)


def static_findings(model: keras.Model) -> list[Finding]:
    """Findings on the graph, the loss and the weights of a model; nothing is computed with it.

    Args:
        model: built, compiled or not.

    Returns:
        The findings, the most confident first.
    """
    checks = (*OUTPUT_CHECKS, _sizes, _augmentation, initializer_findings, *WEIGHT_CHECKS)
    found = [finding for check in checks for finding in check(model)]
    return sorted(found, key=lambda finding: -finding.confidence)


def _sizes(model: keras.Model) -> Iterator[Finding]:
    for layer in layers_of(model):
        shape = _input_shape(layer)
        if not isinstance(layer, WINDOW_LAYERS) or len(shape) != 4 or layer.data_format != "channels_last":
            continue
        size = layer.pool_size if hasattr(layer, "pool_size") else layer.kernel_size
        if None not in shape[1:3] and max(size) > 1 and shape[1] * shape[2] == 1:
            message = f"A window of {size[0]}x{size[1]} is applied to feature maps of 1x1."
            yield make_finding("image_shrunk_away", message, 0.5, layer.name)


def _input_shape(layer: keras.layers.Layer) -> tuple:
    try:
        return tuple(layer.input.shape)
    except (AttributeError, ValueError):  # layers of a subclassed model, or with several inputs
        return ()


def _augmentation(model: keras.Model) -> Iterator[Finding]:
    for layer in augmentation_layers(model):
        message = f"The augmentation layer {type(layer).__name__} is part of the model."
        yield make_finding("augmentation_inside", message, 0.3, layer.name)
