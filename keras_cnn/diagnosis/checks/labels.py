"""Whether the labels have the form and range that the model and its loss expect."""

from collections.abc import Callable, Iterator

import keras

from keras_cnn.diagnosis.checks.label_relations import relation_findings
from keras_cnn.diagnosis.checks.masks import mask_findings, value_suggestions
from keras_cnn.diagnosis.checks.outputs import CLASSES_OF_LOSS
from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import (
    compiled_loss,
    loss_name,
    output_shape,
    takes,
)
from keras_cnn.diagnosis.suggestions import Suggestion

SIGNED = ("hinge", "squared_hinge")  # losses of classes -1 and 1


def label_findings(sample: Sample, model: keras.Model) -> list[Finding]:
    """Findings on the labels, compared with what the model and its loss expect."""
    shape = output_shape(model, sample.x)
    width, loss = shape[-1], compiled_loss(model)
    masks = list(mask_findings(sample, width))
    interpolated = any(one.name == "interpolated_masks" and one.confidence > 0.5 for one in masks)
    found = masks if interpolated else list(_range(sample, loss, width))
    found = found or [*relation_findings(sample, width), *masks]
    return [*found, *_form(sample, loss, shape)]


def _form(sample: Sample, loss: Callable | None, shape: tuple[int, ...]) -> Iterator[Finding]:
    """Class indices where the loss expects one number per class, or the other way round."""
    y = sample.y
    if loss is None or takes(loss, y, shape):
        return
    effect = "`fit` accepts the labels"
    options = [("give labels of the outputs' shape, or class indices", effect)]
    if y.ndim == len(shape):
        options = [
            ("use sparse_categorical_crossentropy", effect),
            (f"convert the labels: keras.utils.to_categorical(y, {shape[-1]})", "the same, for more memory"),
        ]
    elif y.shape[1:] == shape:
        options = [
            ("use categorical_crossentropy", effect),
            ("convert the labels: y.argmax(-1)", "the same, for less memory"),
        ]
    message = (
        f"{loss_name(loss) or 'the loss'} cannot be computed from labels of shape {y.shape} and outputs of shape "
        f"{(len(y), *shape)}."
    )
    yield make_finding(
        "labels_of_another_form", message, 1.0, suggestions=[Suggestion(*option) for option in options]
    )


def _range(sample: Sample, loss: Callable | None, width: int) -> Iterator[Finding]:
    classes, name = max(2, width), loss_name(loss) if loss else ""
    if width > 1 and sample.y.ndim > 1 and sample.y.shape[-1] == width:  # one number per class
        return
    y = sample.y[sample.y != getattr(loss, "ignore_class", None)]
    minimum = -1 if name in SIGNED else 0
    if (width == 1 and name in CLASSES_OF_LOSS) or not y.size or minimum <= y.min() <= y.max() < classes:
        return
    outputs = f"{width} outputs represent" if width > 1 else "one output represents"
    yield make_finding(
        "labels_out_of_range",
        f"Labels range from {y.min():g} to {y.max():g}; {outputs} classes 0 to {classes - 1}.",
        1.0,
        numbers={"minimum": float(y.min()), "maximum": float(y.max())},
        suggestions=value_suggestions(y, width),
    )
