"""Whether the values of the outputs are what the loss expects, measured because code may be unknown."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cnn.diagnosis.checks.outputs import CLASSES_OF_LOSS
from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import final_activation
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import (
    FEW_IMAGES,
    SUM_TOLERANCE,
    compiled_loss,
    loss_name,
    sums_to_one,
    takes,
)


def value_findings(model: keras.Model, sample: Sample) -> Iterator[Finding]:
    """Findings on the values of the outputs and of the loss.

    Args:
        model: built.
        sample: images and labels, of which the first 16 are used.
    """
    x, y = sample.x[:FEW_IMAGES], sample.y[:FEW_IMAGES]
    tensor = model(ops.convert_to_tensor(x), training=False)
    outputs = np.asarray(ops.convert_to_numpy(tensor), "float32")
    loss, name = compiled_loss(model), final_activation(model)[1].name
    if not np.isfinite(outputs).all() or (outputs.min() < 0 or outputs.max() > 1 + SUM_TOLERANCE):
        return
    wrong = list(_wrong_axis(outputs, name))
    yield from wrong
    if wrong or loss is None or not takes(loss, y, outputs.shape[1:]):
        return
    if outputs.shape[-1] > 1 and sums_to_one(outputs) and expects_logits(loss, y, outputs.shape):
        yield _logits_expected(not np.allclose(_value(loss, y, tensor), _value(loss, y, outputs)), name)
    if loss_name(loss) in CLASSES_OF_LOSS and outputs.shape[-1] > 1 and not sums_to_one(outputs):
        message = (
            f"The outputs of an image sum to {outputs.sum(-1).min():.3g} to "
            f"{outputs.sum(-1).max():.3g}, not to 1."
        )
        yield make_finding("sigmoid_for_classes", message, 0.6, name)
    yield from _bounds(loss, y, outputs.shape, name)


def _logits_expected(bypassed: bool, layer: str) -> Finding:
    """Probabilities for a loss of logits; `bypassed` if the loss computes with the values before softmax."""
    if bypassed:
        message = (
            "The loss expects logits and gets probabilities. This version of Keras computes with the values before "
            "softmax, so that it does no harm here."
        )
        return make_finding("logits_expected", message, 0.1, layer)
    message = (
        "The outputs are probabilities, but adding a constant to all outputs of an image does not change the loss: it "
        "applies softmax itself."
    )
    return make_finding("logits_expected", message, 0.9, layer)


def _wrong_axis(outputs: np.ndarray, layer: str) -> Iterator[Finding]:
    axes = [
        axis for axis in range(1, outputs.ndim - 1) if outputs.shape[axis] > 1 and sums_to_one(outputs, axis)
    ]
    if outputs.shape[-1] > 1 and axes and not sums_to_one(outputs):
        yield make_finding(
            "softmax_wrong_axis",
            f"The outputs of shape {outputs.shape[1:]} sum to 1 over axis {axes[0]}, and over the {outputs.shape[-1]} "
            f"classes to {outputs.sum(-1).min():.3g} to {outputs.sum(-1).max():.3g}.",
            0.97,
            layer,
            {"axis": float(axes[0])},
        )


def _bounds(loss: Callable, y: np.ndarray, shape: tuple[int, ...], layer: str) -> Iterator[Finding]:
    """A loss of the user that is not finite where a probability is exactly 0 or 1; those of Keras are clipped."""
    if loss.__module__.startswith("keras."):
        return
    inner = _value(loss, y, np.full(shape, 1 / max(2, shape[-1]), "float32"))
    for sure in (0, 1):  # of class 0, or of class 1: wrong for some of the labels
        outputs = np.full(shape, sure, "float32")
        if shape[-1] > 1:
            outputs = np.broadcast_to(np.eye(shape[-1], dtype="float32")[sure], shape)
        if np.isfinite(inner).all() and not np.isfinite(_value(loss, y, outputs)).all():
            message = f"The loss {loss_name(loss)} is not finite where outputs are exactly 0 and 1."
            yield make_finding("loss_not_finite_at_bounds", message, 0.85, layer)
            return


def expects_logits(loss: Callable, y: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether a loss applies softmax: it does not change if a constant is added to all outputs of an image.

    Args:
        loss: (y, outputs) -> loss.
        y: labels.
        shape: of the outputs, several classes last.
    """
    logits = np.random.default_rng(0).normal(size=shape).astype("float32")
    values = [_value(loss, y, one) for one in (logits, logits + 3.0, 2 * logits)]
    if not all(np.isfinite(value).all() for value in values):
        return False
    same, scaled = (np.allclose(values[0], other, rtol=1e-3, atol=1e-4) for other in values[1:])
    return same and not scaled


def _value(loss: Callable, y: np.ndarray, outputs: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(loss(ops.convert_to_tensor(y), ops.convert_to_tensor(outputs))))
