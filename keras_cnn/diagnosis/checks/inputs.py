"""What is fed to a net: is every number finite, does every channel tell something, is the scale what weights assume?"""

from collections.abc import Iterator

import keras
import numpy as np

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.graph import kernel_layers, layers_of
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.suggestions import Suggestion

USUAL = 30.0  # mean or deviation of inputs beyond it are not normalized
TINY = 0.01  # deviation of inputs below it
NORMALIZES = (keras.layers.Normalization, keras.layers.BatchNormalization)


def input_findings(sample: Sample) -> Iterator[Finding]:
    """Findings on the images alone."""
    x = sample.x.astype("float64")
    channels = x.reshape(-1, x.shape[-1])
    if not np.isfinite(x).all():
        yield Finding(
            "images_not_finite",
            f"{int(np.size(x) - np.isfinite(x).sum())} numbers in the images are NaN or infinite.",
            "Whatever is computed from them is NaN too.",
            (Suggestion("find those images, and repair or drop them", "nothing trains before that"),),
            1.0,
        )
        return
    constant = [index for index in range(channels.shape[-1]) if np.ptp(channels[:, index]) == 0]
    if constant:
        yield Finding(
            "constant_channels",
            f"Channel {', '.join(map(str, constant))} of {channels.shape[-1]} is the same everywhere.",
            "It tells nothing; if it was not meant to be so, images are read wrongly.",
            (
                Suggestion(
                    "look at some images as the net gets them", "it shows whether a channel was read wrongly"
                ),
            ),
            0.9 if len(constant) == channels.shape[-1] else 0.3,
        )


def scale_numbers(sample: Sample) -> dict[str, float]:
    """Mean and deviation of what the net is given."""
    x = sample.x.astype("float64")
    return {"mean": float(x.mean()), "deviation": float(x.std())}


def badly_scaled(sample: Sample, model: keras.Model) -> bool:
    """Whether inputs are far larger or smaller than what initializers assume, about 1, and no layer mends that."""
    numbers = scale_numbers(sample)
    far = max(abs(numbers["mean"]), numbers["deviation"]) > USUAL or 0 < numbers["deviation"] < TINY
    return far and not _normalizes(model)


def _normalizes(model: keras.Model) -> bool:
    """Whether something normalizes before the first layer with a kernel."""
    layers, kernels = layers_of(model), kernel_layers(model)
    end = layers.index(kernels[0]) if kernels else len(layers)
    return any(_changes_scale(layer) for layer in layers[:end])


def _changes_scale(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.layers.Rescaling):
        return bool(np.any(np.asarray(layer.scale) != 1))
    return isinstance(layer, NORMALIZES) or "tandardiz" in type(layer).__name__
