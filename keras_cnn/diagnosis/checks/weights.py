"""What the initial, or any, weights of a net tell without data."""

from collections.abc import Iterator

import keras
import numpy as np

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.graph import KERNEL_LAYERS, activation_of, kernels_of, layers_of, predecessors
from keras_cnn.diagnosis.suggestions import CLIP, NEW_WEIGHTS, TENTH, Suggestion

HUGE = 1e3  # a weight beyond it, in a net whose inputs are about 1


def _biases(model: keras.Model) -> Iterator[Finding]:
    for layer in layers_of(model):
        if isinstance(layer, keras.layers.BatchNormalization) and layer.center:
            for parent in predecessors(layer, model):
                if (
                    isinstance(parent, KERNEL_LAYERS)
                    and parent.use_bias
                    and activation_of(parent) == "linear"
                ):
                    yield Finding(
                        "bias_before_batch_normalization",
                        "A bias is added just before batch normalization.",
                        "Its mean is subtracted at once, so the bias has no effect and costs memory and time.",
                        (Suggestion("use_bias=False", "the same outputs, a little faster"),),
                        0.1,
                        parent.name,
                    )


def _weights(model: keras.Model) -> Iterator[Finding]:
    for layer in layers_of(model):
        for weight in layer.weights:
            values = keras.ops.convert_to_numpy(weight)
            if values.dtype.kind != "f":
                continue
            broken = int(np.size(values) - np.isfinite(values).sum())
            if broken:
                yield Finding(
                    "weights_not_finite",
                    f"{broken} of the {values.size} numbers in {weight.name} are NaN or infinite.",
                    "Every output that depends on them is NaN.",
                    (
                        Suggestion(
                            "start from new weights, at a tenth of the learning rate",
                            "finite numbers again",
                        ),
                        CLIP,
                    ),
                    1.0,
                    layer.name,
                    {"not_finite": broken},
                    remedies=("initialization",),
                )
            elif (
                values.size
                and np.abs(values).max() > HUGE
                and not isinstance(layer, keras.layers.Normalization)
            ):
                largest = float(np.abs(values).max())
                yield Finding(
                    "weights_huge",
                    f"{weight.name} holds {largest:.3g}.",
                    "Such weights saturate what follows. They come of a wrong initializer, or of divergence.",
                    (NEW_WEIGHTS, TENTH),
                    0.7,
                    layer.name,
                    {"largest": largest},
                    remedies=("initialization",),
                )
        for kernel in _kernels(layer):
            if kernel.size < 2 or np.ptp(kernel) != 0:
                continue
            yield Finding(
                "constant_kernel",
                f"All {kernel.size} weights of the kernel are {kernel.flat[0]:g}.",
                "All units of the layer compute the same and get the same gradient, so they stay alike for ever.",
                (NEW_WEIGHTS,),
                1.0,
                layer.name,
                {"value": float(kernel.flat[0])},
                remedies=("initialization",),
            )


def _kernels(layer: keras.layers.Layer) -> list[np.ndarray]:
    if not isinstance(layer, KERNEL_LAYERS) or not layer.built:
        return []
    return [keras.ops.convert_to_numpy(kernel) for kernel in kernels_of(layer)]


def _twins(model: keras.Model) -> Iterator[Finding]:
    seen: dict[bytes, str] = {}
    kernels = [(layer, kernel) for layer in layers_of(model) for kernel in _kernels(layer)]
    for layer, kernel in kernels:
        if kernel.size < 2 or np.ptp(kernel) == 0:
            continue
        key = str(kernel.shape).encode() + kernel.tobytes()
        if key in seen:
            yield Finding(
                "same_initial_weights",
                f"Its kernel equals that of {seen[key]}, number for number.",
                "One initializer instance without a seed of its own draws the same numbers at each use.",
                (
                    Suggestion(
                        "pass the initializer's name, kernel_initializer='he_normal'", "layers that differ"
                    ),
                    Suggestion("make an instance for each layer", "the same"),
                ),
                0.4,
                layer.name,
                remedies=("initialization",),
            )
        seen[key] = layer.name


def _frozen(model: keras.Model) -> Iterator[Finding]:
    if model.weights and not model.trainable_weights:
        yield Finding(
            "all_frozen",
            "No weight of the net is trainable.",
            "Training changes nothing.",
            (
                Suggestion(
                    "set trainable=True on the layers that are to learn, and compile again", "they learn"
                ),
            ),
            1.0,
            remedies=("unfreeze",),
        )


WEIGHT_CHECKS = (_biases, _weights, _twins, _frozen)
