"""What a batch does in a net before training: the signal forwards, the gradient backwards, layer by layer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.diagnosis.graph.graph import (
    activation_of,
    final_activation,
    kernels_of,
    layers_of,
    operations_of,
)
from keras_cnn.diagnosis.graph.hooks import forward_hooks
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import Objective, logit_std
from keras_cnn.training.ema import preserve_variables

IMAGES, PIXELS = 64, 64 * 128**2  # of the batch that is measured: so many images, or fewer large ones
HALF_SCALE = 1024.0  # times the loss in float16, whose least number is 6e-8; gradients are divided by it
PAIRS = 16  # images whose representations are compared, each with each
SATURATION_BOUNDS = {
    "sigmoid": (0.03, 0.97),
    "hard_sigmoid": (0.0, 1.0),
    "tanh": (-0.97, 0.97),
}  # beyond which slopes are small
RECTIFIERS = ("relu", "relu6")
SHAPE_ONLY_LAYERS = (
    keras.layers.InputLayer,
    keras.layers.Dropout,
    keras.layers.Flatten,
    keras.layers.Reshape,
)


@dataclass(frozen=True)
class LayerSignal:
    """One layer. mean, variance: of all its outputs. spread: the sd of a unit's output over images, root mean square
    over units. dead: share of units (channels) of a rectifier that are 0 for every image; None for others.
    saturated: share of outputs of sigmoid or tanh near their bounds; None for others. correlation: mean cosine
    between the outputs of two images. gradient, weight: norms of the kernels' gradients and of the kernels, None
    without one."""

    name: str
    kind: str
    mean: float
    variance: float
    std_over_images: float
    dead: float | None
    saturated: float | None
    correlation: float
    gradient: float | None = None
    weight: float | None = None

    @property
    def ratio(self) -> float | None:
        """Norm of the gradient by norm of the kernel."""
        return self.gradient / self.weight if self.gradient is not None and self.weight else None


@dataclass(frozen=True)
class Signals:
    """loss: of the batch, in training mode. spread: sd of the logits over images. finite: whether all numbers are.
    layers: in the order in which they compute."""

    loss: float
    logit_std: float
    finite: bool
    layers: list[LayerSignal]

    @property
    def kernels(self) -> list[LayerSignal]:
        """Of the layers with a kernel that learns."""
        return [layer for layer in self.layers if layer.gradient is not None]


def measure_signals(
    model: keras.Model, sample: Sample, objective: Objective, show: Callable[[str, Any], None] | None = None
) -> Signals:
    """One forward and one backward pass, as in training; the weights, also moving statistics, stay as they are.

    show: given the name and the values of each layer's outputs and each gradient.
    """
    pixels = max(1, int(np.prod(sample.x.shape[1:3])))
    count = max(2, min(IMAGES, PIXELS // pixels, len(sample)))
    x, y = tf.convert_to_tensor(sample.x[:count]), tf.convert_to_tensor(sample.y[:count])
    seen: dict[int, LayerSignal] = {}

    def on_output(layer: keras.layers.Layer, outputs: Any) -> None:
        if tf.is_tensor(outputs) and not isinstance(layer, SHAPE_ONLY_LAYERS) and outputs.dtype.is_floating:
            seen[id(layer)] = _signal(layer, outputs.numpy())
            if show:
                show(f"outputs/{layer.name}", outputs)

    watched = [
        one
        for one in operations_of(model)
        if isinstance(one, keras.layers.Layer) or activation_of(one) != "linear"
    ]
    with (
        preserve_variables(model, model.variables),
        forward_hooks(watched, on_output),
        tf.GradientTape() as tape,
    ):
        outputs = model(x, training=True)
        loss = objective.loss(x, y, outputs)
        half = any(layer.compute_dtype == "float16" for layer in layers_of(model))
        scale = HALF_SCALE if half else 1.0
        scaled = scale * loss
    weights = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(scaled, weights)
    if half:
        gradients = [None if gradient is None else gradient / scale for gradient in gradients]
    found = dict(zip([id(v) for v in model.trainable_variables], gradients, strict=True))
    layers = [_with_gradient(seen[id(one)], one, found) for one in watched if id(one) in seen]
    for layer in layers_of(model):
        own = _gradients(layer, found)
        if show and own:
            show(f"gradients/{layer.name}", tf.concat([tf.reshape(one, [-1]) for one in own], 0))
    numbers = [number for layer in layers for number in (layer.variance, layer.gradient or 0.0)]
    return Signals(
        float(loss),
        logit_std(outputs.numpy(), final_activation(model)[0]),
        bool(np.isfinite([float(loss), *numbers]).all()),
        layers,
    )


def _signal(layer: keras.layers.Layer, outputs: np.ndarray) -> LayerSignal:
    values = outputs.astype("float32")
    units = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values[:, None]
    activation = activation_of(layer)
    bounds = SATURATION_BOUNDS.get(activation)
    flat = values[:PAIRS].reshape(min(PAIRS, len(values)), -1).astype("float64")
    with np.errstate(all="ignore"):
        unit = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-30)
        cosines = (unit @ unit.T)[~np.eye(len(unit), dtype=bool)]
        return LayerSignal(
            layer.name,
            activation if activation != "linear" else type(layer).__name__,
            float(values.mean()),
            float(values.var()),
            float(np.sqrt(values.var(axis=0).mean())),
            float((units <= 0).all(axis=0).mean()) if activation in RECTIFIERS else None,
            float(((values <= bounds[0]) | (values >= bounds[1])).mean()) if bounds else None,
            float(cosines.mean()),
        )


def _gradients(layer: keras.layers.Layer, found: dict) -> list:
    """Those of a layer's kernels; none where it has no kernel, or is frozen."""
    return [found[id(kernel)] for kernel in kernels_of(layer) if found.get(id(kernel)) is not None]


def _with_gradient(signal: LayerSignal, layer: keras.layers.Layer, found: dict) -> LayerSignal:
    gradients = _gradients(layer, found)
    if not gradients:
        return signal
    kernels = [kernel.value for kernel in kernels_of(layer)]
    norms = {
        "gradient": float(tf.linalg.global_norm(gradients)),
        "weight": float(tf.linalg.global_norm(kernels)),
    }
    return LayerSignal(**{**vars(signal), **norms})
