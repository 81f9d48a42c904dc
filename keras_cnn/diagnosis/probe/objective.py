"""The loss and the optimizer of a model, the loss at chance, and the spread of its logits."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_cnn.diagnosis.graph.graph import final_activation
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.learning_rate import compressed_rates, optimizer_with, rate_of, schedule_of
from keras_cnn.errors import InputError

EPSILON = 1e-7  # keras.config.epsilon(), below which losses clip probabilities
PROBABILITY_ACTIVATIONS = ("softmax", "sigmoid")
FEW_IMAGES = 16
SUM_TOLERANCE = 1e-2  # of probabilities that should sum to 1, also in half precision


@dataclass(frozen=True)
class Objective:
    """The loss and the optimizer that a model is trained with.

    Args:
        loss: (x, y, outputs) -> scalar, regularizers included.
        measure: (y, outputs) -> the loss without regularizers.
        chance: value of `measure` if every image gets the class frequencies, in nats.
        uniform: value of `measure` if every image gets equal logits for all classes, in nats.
        shape: of the outputs for one image.
        activation: name of the one that produces the outputs; softmax also where only their values show it.
        optimizer: creates a new optimizer.
        rate: its learning rate.
        compiled: whether the loss is the one that the model is compiled with.
        rates: number of steps -> learning rate of each, if a schedule sets it; None for a constant one.
    """

    loss: Callable[[Any, Any, Any], Any]
    measure: Callable[[Any, Any], Any]
    chance: float
    uniform: float
    shape: tuple[int, ...]
    activation: str
    optimizer: Callable[[], keras.optimizers.Optimizer]
    rate: float
    compiled: bool
    rates: Callable[[int], np.ndarray] | None = None


def objective_of(model: keras.Model, sample: Sample) -> Objective:
    """The objective that a model is compiled with.

    Args:
        model: compiled or not; the defaults are cross-entropy and Adam at 1e-3. Cross-entropy is also used where the
            compiled loss cannot be computed from these labels.
        sample: images and labels.

    Raises:
        InputError: if the model has several outputs or a loss that Keras does not know.
    """
    shape, own, rate = output_shape(model, sample.x), getattr(model, "optimizer", None), rate_of(model)
    measure = compiled_loss(model)
    compiled = measure is not None and takes(measure, sample.y, shape)
    measure = measure if measure is not None and compiled else _usual_loss(model, sample.y, shape)

    def loss(x, y, outputs):
        if compiled:
            return model.compute_loss(x=x, y=y, y_pred=outputs, training=True)
        return ops.mean(measure(y, outputs))

    def optimizer() -> keras.optimizers.Optimizer:
        return optimizer_with(own, learning_rate=rate) if own is not None else keras.optimizers.Adam(rate)

    schedule = schedule_of(model)
    rates = functools.partial(compressed_rates, schedule) if schedule else None
    frequencies = class_frequencies(sample.y, shape[-1])
    chance = _constant_loss(measure, sample.y, shape, frequencies)
    uniform = _constant_loss(measure, sample.y, shape, np.full_like(frequencies, 1 / len(frequencies)))
    activation = measured_activation(model, sample.x)
    return Objective(loss, measure, chance, uniform, shape, activation, optimizer, rate, compiled, rates)


def output_shape(model: keras.Model, x: np.ndarray) -> tuple[int, ...]:
    """Shape of the outputs for one image, without the batch.

    Raises:
        InputError: if the model has several outputs.
    """
    spec = model.compute_output_spec(keras.KerasTensor((2, *x.shape[1:]), x.dtype.name))
    if not hasattr(spec, "shape"):
        raise InputError(
            f"the model has {len(spec)} outputs; only models with one output can be diagnosed: give "
            "keras.Model(model.inputs, model.outputs[0]), compiled with the loss of that output."
        )
    return tuple(spec.shape[1:])


def measured_activation(model: keras.Model, x: np.ndarray) -> str:
    """The name of the final activation; softmax of an unknown layer is recognized by outputs that sum to 1."""
    name = final_activation(model)[0]
    if name != "linear":
        return name
    outputs = ops.convert_to_numpy(model(ops.convert_to_tensor(x[:FEW_IMAGES]), training=False))
    probabilities = outputs.shape[-1] > 1 and outputs.min() >= 0 and sums_to_one(outputs)
    return "softmax" if probabilities else name


def sums_to_one(outputs: np.ndarray, axis: int = -1) -> bool:
    """Whether the outputs sum to 1 over an axis, everywhere."""
    return bool(np.abs(outputs.astype("float32").sum(axis) - 1).max() < SUM_TOLERANCE)


def _usual_loss(model: keras.Model, y: np.ndarray, shape: tuple[int, ...]) -> Callable:
    from_logits = final_activation(model)[0] not in PROBABILITY_ACTIVATIONS
    if shape[-1] == 1:
        return keras.losses.BinaryCrossentropy(from_logits=from_logits)
    one_hot = y.ndim == len(shape) + 1 and y.shape[-1] == shape[-1]
    kind = keras.losses.CategoricalCrossentropy if one_hot else keras.losses.SparseCategoricalCrossentropy
    return kind(from_logits=from_logits)


def compiled_loss(model: keras.Model) -> Callable | None:
    """(y, outputs) -> the loss that `model` is compiled with, without regularizers; None if there is none.

    Raises:
        InputError: if Keras does not know the loss.
    """
    loss = getattr(model, "loss", None) if getattr(model, "compiled", False) else None
    if isinstance(loss, dict | list):
        losses = list(loss.values()) if isinstance(loss, dict) else loss
        loss = losses[0] if len(losses) == 1 else None
    try:
        found = keras.losses.get(loss)
    except ValueError:
        raise InputError(
            f"the model is compiled with the loss {loss!r}, which Keras does not know."
        ) from None
    return found if found is None or isinstance(found, keras.losses.Loss) else _aligned(found)


def loss_name(loss: Callable) -> str:
    """Keras's name of a loss, or that of a custom function; empty if it has none."""
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", ""))


def _aligned(loss: Callable) -> Callable:
    """A loss function that, like `fit`, expands labels (batch,) to (batch, 1) if the outputs are (batch, 1)."""

    @functools.wraps(loss)
    def aligned(y, outputs):
        y = ops.convert_to_tensor(y)
        one = len(outputs.shape) == len(y.shape) + 1 and outputs.shape[-1] == 1
        return loss(y[..., None] if one else y, outputs)

    return aligned


def takes(measure: Callable, y: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether a loss can be computed from labels like `y` and outputs (batch, *shape)."""
    try:
        measure(np.zeros_like(y[:1]), np.full((1, *shape), 0.5, "float32"))
    except (ValueError, TypeError, tf.errors.InvalidArgumentError):
        return False
    return True


def _constant_loss(
    measure: Callable, y: np.ndarray, shape: tuple[int, ...], frequencies: np.ndarray
) -> float:
    """`measure` of the same probabilities for all images, as they are or as logits: the lower value, one is wrong."""
    width = shape[-1]
    if not takes(measure, y, shape):
        return float("nan")
    if width == 1:
        frequencies = frequencies[1:]
        logits = np.log(frequencies / (1 - frequencies) + EPSILON)
    else:
        logits = np.log(frequencies + EPSILON)
    values = []
    for constant in (frequencies, logits):
        outputs = np.broadcast_to(constant.astype("float32"), (len(y), *shape))
        with np.errstate(all="ignore"):
            values.append(
                float(np.mean(ops.convert_to_numpy(measure(ops.convert_to_tensor(y), ops.array(outputs)))))
            )
    finite = [value for value in values if np.isfinite(value) and value > 0]
    return min(finite) if finite else float("nan")


def class_frequencies(y: np.ndarray, width: int) -> np.ndarray:
    """The share of each class in `y`, (max(width, 2),); the mean of distributions."""
    if y.ndim > 1 and y.shape[-1] == width > 1 and y.dtype.kind == "f":
        return y.reshape(-1, width).mean(axis=0)
    if y.ndim == 2 and y.shape[-1] == width > 1:
        return y.mean(axis=0)
    counts = np.bincount(np.clip(y.astype(np.int64).ravel(), 0, None), minlength=max(width, 2))
    counts = counts[: max(width, 2)]  # pixels of masks may belong to no class
    return counts / max(1, counts.sum())


def logits_of(outputs: np.ndarray, activation: str) -> np.ndarray:
    """Outputs (..., C) as logits, centered over the classes: the inverse of the final `activation`."""
    values = np.asarray(outputs, "float64")
    if activation == "softmax":
        values = np.log(np.maximum(values, 1e-30))
    elif activation == "sigmoid":
        values = np.log(np.maximum(values, 1e-30)) - np.log(np.maximum(1 - values, 1e-30))
    return values - values.mean(axis=-1, keepdims=True) if values.shape[-1] > 1 else values


def logit_std(outputs: np.ndarray, activation: str) -> float:
    """Standard deviation of the logits over images (and pixels), averaged over the classes."""
    values = logits_of(outputs, activation)
    return float(values.reshape(-1, values.shape[-1]).std(axis=0).mean())
