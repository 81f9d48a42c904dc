"""Whether the inputs reach the first kernel at the scale that initial weights assume."""

from collections.abc import Iterator

import keras
import numpy as np

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import kernel_layers, layers_of
from keras_cnn.diagnosis.graph.hooks import kernel_inputs
from keras_cnn.diagnosis.probe.data import Sample

# absolute mean or standard deviation of inputs that count as normalized; set by hand
MAX_INPUT_SCALE = 30.0
MIN_INPUT_STD = 0.01
MEASURED_IMAGES = 64


def scale_findings(sample: Sample, model: keras.Model) -> Iterator[Finding]:
    """At most one finding: inputs far from the scale of about 1 that initializers assume."""
    numbers = scale_numbers(sample, model)
    layer = rescaling_layer(model)
    values = (
        f"mean {numbers['mean']:.3g} and standard deviation {numbers['std']:.3g} where the "
        "first kernel receives them"
    )
    if _is_small(numbers) and layer and sample.x.std() >= MIN_INPUT_STD:
        yield make_finding(
            "inputs_scaled_twice",
            f"The data range from {sample.x.min():.3g} to {sample.x.max():.3g}, and {layer.name} scales them again: "
            f"they have {values}.",
            0.95,
            layer.name,
            numbers,
        )
    elif _is_small(numbers) or _is_large(numbers):
        yield make_finding("inputs_not_normalized", f"The inputs have {values}.", 0.9, numbers=numbers)


def scale_numbers(sample: Sample, model: keras.Model) -> dict[str, float]:
    """Mean and standard deviation of what the first kernel receives, behind all layers that scale it."""
    inputs = kernel_inputs(model, sample.x[:MEASURED_IMAGES])
    values = (sample.x if inputs is None else inputs).astype("float64")
    return {"mean": float(values.mean()), "std": float(values.std())}


def _is_large(numbers: dict[str, float]) -> bool:
    return max(abs(numbers["mean"]), numbers["std"]) > MAX_INPUT_SCALE


def _is_small(numbers: dict[str, float]) -> bool:
    return 0 < numbers["std"] < MIN_INPUT_STD


def rescaling_layer(model: keras.Model) -> keras.layers.Layer | None:
    """The last layer before the first kernel that multiplies by less than 1; None if there is none."""
    layers, kernels = layers_of(model), kernel_layers(model)
    before = layers[: layers.index(kernels[0])] if kernels else layers
    shrinking = [
        one
        for one in before
        if isinstance(one, keras.layers.Normalization)
        or (isinstance(one, keras.layers.Rescaling) and np.max(np.abs(one.scale)) < 1)
    ]
    return shrinking[-1] if shrinking else None
