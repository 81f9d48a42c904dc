"""Signals of one batch: statistics of the outputs and norms of the gradients, layer by layer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.diagnosis.graph.graph import (
    activation_of,
    kernels_of,
    layers_of,
    operations_of,
)
from keras_cnn.diagnosis.graph.hooks import forward_hooks
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import Objective, logit_std
from keras_cnn.training.ema import preserve_variables

BATCH_IMAGES, BATCH_PIXELS = 64, 64 * 128**2  # limits of the batch that is measured
FLOAT16_LOSS_SCALE = 1024.0  # because the smallest positive float16 is 6e-8
COMPARED_IMAGES = 16  # whose outputs are compared in pairs
# outputs beyond them count as saturated; set by hand
SATURATION_BOUNDS = {
    "sigmoid": (0.03, 0.97),
    "hard_sigmoid": (0.0, 1.0),
    "tanh": (-0.97, 0.97),
}
RECTIFIERS = ("relu", "relu6")
SHAPE_ONLY_LAYERS = (
    keras.layers.InputLayer,
    keras.layers.Dropout,
    keras.layers.Flatten,
    keras.layers.Reshape,
)


@dataclass(frozen=True)
class LayerSignal:
    """The signal in one layer.

    Args:
        name: of the layer.
        kind: its activation, or the name of its class.
        mean: of all its outputs.
        variance: of all its outputs.
        std_over_images: standard deviation of a unit's output over images, root mean square over units.
        dead: share of units (channels) that are 0 for every image, of ReLU; None for other activations.
        saturated: share of outputs near the bounds of sigmoid or tanh; None for other activations.
        correlation: mean cosine of the outputs of two images.
        gradient: norm of the kernels' gradients; None without trainable kernels.
        weight: norm of the kernels; None without trainable kernels.
    """

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
        """Norm of the gradient / norm of the kernel."""
        return self.gradient / self.weight if self.gradient is not None and self.weight else None


@dataclass(frozen=True)
class Signals:
    """The signals of one batch in training mode.

    Args:
        loss: of the batch, in nats, without the penalties of regularizers.
        logit_std: standard deviation of the logits over images.
        finite: whether the loss, all variances and all gradients are.
        layers: in order of execution.
    """

    loss: float
    logit_std: float
    finite: bool
    layers: list[LayerSignal]

    @property
    def kernels(self) -> list[LayerSignal]:
        """Those of the layers with trainable kernels."""
        return [layer for layer in self.layers if layer.gradient is not None]


def batch_images(sample: Sample) -> int:
    """The number of images that are measured at once: 64, fewer if they are large."""
    pixels = max(1, int(np.prod(sample.x.shape[1:3])))
    return max(2, min(BATCH_IMAGES, BATCH_PIXELS // pixels, len(sample)))


def measure_signals(
    model: keras.Model,
    sample: Sample,
    objective: Objective,
    show: Callable[[str, Any], None] | None = None,
) -> Signals:
    """Measure one forward and one backward pass in training mode; all variables are restored.

    Args:
        model: the model.
        sample: images, of which at most the first 64 are used.
        objective: its loss.
        show: called with the name (`outputs/LAYER`, `gradients/LAYER`) and the values of outputs and gradients.
    """
    count = batch_images(sample)
    x, y = tf.convert_to_tensor(sample.x[:count]), tf.convert_to_tensor(sample.y[:count])
    signals: dict[int, LayerSignal] = {}

    def on_output(layer: keras.layers.Layer, outputs: Any) -> None:
        if tf.is_tensor(outputs) and not isinstance(layer, SHAPE_ONLY_LAYERS) and outputs.dtype.is_floating:
            signals[id(layer)] = _signal(layer, outputs.numpy())
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
        plain = tf.reduce_mean(objective.measure(y, outputs))
        half = any(layer.compute_dtype == "float16" for layer in layers_of(model))
        scale = FLOAT16_LOSS_SCALE if half else 1.0
        scaled = scale * loss
    weights = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(scaled, weights)
    if half:
        gradients = [None if gradient is None else gradient / scale for gradient in gradients]
    found = dict(zip([id(v) for v in model.trainable_variables], gradients, strict=True))
    layers = [_with_gradient(signals[id(one)], one, found) for one in watched if id(one) in signals]
    for layer in layers_of(model):
        own = _gradients(layer, found)
        if show and own:
            show(f"gradients/{layer.name}", tf.concat([tf.reshape(one, [-1]) for one in own], 0))
    numbers = [number for layer in layers for number in (layer.variance, layer.gradient or 0.0)]
    return Signals(
        float(plain),
        logit_std(outputs.numpy(), objective.activation),
        bool(np.isfinite([float(loss), *numbers]).all()),
        layers,
    )


def _signal(layer: keras.layers.Layer, outputs: np.ndarray) -> LayerSignal:
    values = outputs.astype("float32")
    units = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values[:, None]
    activation = activation_of(layer)
    bounds = SATURATION_BOUNDS.get(activation)
    flat = values[:COMPARED_IMAGES].reshape(min(COMPARED_IMAGES, len(values)), -1).astype("float64")
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
    """The gradients of a layer's kernels; empty if it has none, or is frozen."""
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
