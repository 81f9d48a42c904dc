"""Input normalization as the first layer of the model: pixels in, numbers a net can learn from out.

Statistics arrive as plain numbers, and the affine kinds are one per-channel `Rescaling`, which every
export format can run (Keras's `Normalization` breaks the ONNX file).
"""

import keras

from keras_cnn.models.layers import PerImageStandardization
from keras_cnn.models.spec import ModelSpec


def normalization_layer(spec: ModelSpec) -> keras.layers.Layer:
    """The layer named `normalization`, computing in float32 whatever the precision."""
    common = {"name": "normalization", "dtype": "float32"}
    if spec.normalization == "per_image":
        return PerImageStandardization(**common)
    scale, offset = _affine(spec)
    return keras.layers.Rescaling(scale, offset, **common)


def _affine(spec: ModelSpec) -> tuple:
    """(scale, offset) with x * scale + offset the normalized pixel."""
    if spec.normalization == "zero_mean":
        assert spec.mean and spec.variance, "ModelSpec checks that they are given"
        # a channel of one value has no deviation to divide by: it is centered only
        scale = [v**-0.5 if v > 0 else 1.0 for v in spec.variance]
        return scale, [-m * s for m, s in zip(spec.mean, scale, strict=True)]
    low, high = spec.value_range
    if spec.normalization == "zero_one":
        return 1 / (high - low), 0.0 - low / (high - low)
    if spec.normalization == "minus_one_one":
        return 2 / (high - low), -1.0 - 2 * low / (high - low)
    return 1.0, 0.0
