"""Whether images are finite, every channel carries information, and their scale suits the weights."""

from collections.abc import Iterator

import keras
import numpy as np

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import kernel_layers, layers_of
from keras_cnn.diagnosis.probe.data import Sample

# absolute mean or standard deviation of inputs that count as normalized; set by hand
MAX_INPUT_SCALE = 30.0
MIN_INPUT_STD = 0.01
NORMALIZING_LAYERS = (keras.layers.Normalization, keras.layers.BatchNormalization)


def input_findings(sample: Sample) -> Iterator[Finding]:
    """Findings on the images alone."""
    x = sample.x.astype("float64")
    channels = x.reshape(-1, x.shape[-1])
    if not np.isfinite(x).all():
        count = int(np.size(x) - np.isfinite(x).sum())
        yield make_finding("images_not_finite", f"{count} values in the images are NaN or infinite.", 1.0)
        return
    constant = [index for index in range(channels.shape[-1]) if np.ptp(channels[:, index]) == 0]
    if constant:
        yield make_finding(
            "constant_channels",
            f"Channel {', '.join(map(str, constant))} of {channels.shape[-1]} has the same value in every pixel.",
            0.9 if len(constant) == channels.shape[-1] else 0.3,
        )


def scale_numbers(sample: Sample) -> dict[str, float]:
    """Mean and standard deviation (`deviation`) of the inputs."""
    x = sample.x.astype("float64")
    return {"mean": float(x.mean()), "deviation": float(x.std())}


def badly_scaled(sample: Sample, model: keras.Model) -> bool:
    """Whether the inputs are far from the scale of about 1 that initializers assume, and no layer normalizes them."""
    numbers = scale_numbers(sample)
    large = max(abs(numbers["mean"]), numbers["deviation"]) > MAX_INPUT_SCALE
    return (large or 0 < numbers["deviation"] < MIN_INPUT_STD) and not _normalizes(model)


def _normalizes(model: keras.Model) -> bool:
    """Whether a layer before the first kernel normalizes."""
    layers, kernels = layers_of(model), kernel_layers(model)
    end = layers.index(kernels[0]) if kernels else len(layers)
    return any(_changes_scale(layer) for layer in layers[:end])


def _changes_scale(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.layers.Rescaling):
        return bool(np.any(np.asarray(layer.scale) != 1))
    # PerImageStandardization and layers of users with such a name
    return isinstance(layer, NORMALIZING_LAYERS) or "tandardiz" in type(layer).__name__
