"""Input normalization as the first layer of the model: pixels 0..255 in, numbers a net can learn from out.

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
    return {"none": (1.0, 0.0), "zero_one": (1 / 255, 0.0), "minus_one_one": (1 / 127.5, -1.0)}[
        spec.normalization
    ]
