"""What can be said against a net without any data, in a second: its graph, its loss, its initial weights."""

from collections.abc import Iterator

import keras

from keras_cnn.diagnosis.checks.initializers import initializer_findings
from keras_cnn.diagnosis.checks.outputs import END_CHECKS
from keras_cnn.diagnosis.checks.weights import WEIGHT_CHECKS
from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.graph import layers_of
from keras_cnn.diagnosis.suggestions import Suggestion

POOLS = (
    *(keras.layers.MaxPooling2D, keras.layers.AveragePooling2D),
    keras.layers.Conv2D,
)


def static_findings(model: keras.Model) -> list[Finding]:
    """Findings on a built model, compiled or not, the most confident first. Weights are read, nothing is computed."""
    checks = (*END_CHECKS, _sizes, _augmentation, initializer_findings, *WEIGHT_CHECKS)
    found = [finding for check in checks for finding in check(model)]
    return sorted(found, key=lambda finding: -finding.confidence)


def _sizes(model: keras.Model) -> Iterator[Finding]:
    for layer in layers_of(model):
        shape = _input_shape(layer)
        if not isinstance(layer, POOLS) or len(shape) != 4 or layer.data_format != "channels_last":
            continue
        size = layer.pool_size if hasattr(layer, "pool_size") else layer.kernel_size
        if None not in shape[1:3] and max(size) > 1 and shape[1] * shape[2] == 1:
            yield Finding(
                "image_shrunk_away",
                f"It looks at maps of 1x1 with a window of {size[0]}x{size[1]}.",
                "Pools and strides before it have taken the image away: most of its weights meet nothing but padding.",
                (
                    Suggestion("remove a pool or a stride", "all of its weights are used"),
                    Suggestion("use larger images", "the same, for more time"),
                ),
                0.5,
                layer.name,
            )


def _input_shape(layer: keras.layers.Layer) -> tuple:
    try:
        return tuple(layer.input.shape)
    except (AttributeError, ValueError):  # of a subclassed model, or with several inputs
        return ()


def _augmentation(model: keras.Model) -> Iterator[Finding]:
    for layer in layers_of(model):
        if type(layer).__name__.startswith("Random") and type(layer).__module__.startswith("keras"):
            yield Finding(
                "augmentation_inside",
                "Augmentation is a layer of the net.",
                "model.export() writes it in training mode, so the served model goes on turning and cutting images.",
                (
                    Suggestion(
                        "augment in the input pipeline",
                        "training is the same, and the served model equals `predict`",
                    ),
                    Suggestion("export with training=False", "the served model equals `predict`"),
                ),
                0.3,
                layer.name,
            )
