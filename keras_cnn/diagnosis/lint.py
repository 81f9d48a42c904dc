"""What can be said against a net without any data, in a second: its graph, its loss, its initial weights."""

from collections.abc import Iterator

import keras

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph import activation_of, feeding, final_activation, layers_of, output_width
from keras_cnn.diagnosis.initializers import initializer_findings
from keras_cnn.diagnosis.weights import WEIGHT_CHECKS

CLASSES_OF_LOSS = ("categorical_crossentropy", "sparse_categorical_crossentropy")
POOLS = (
    *(keras.layers.MaxPooling2D, keras.layers.AveragePooling2D),
    keras.layers.Conv2D,
)


def lint(model: keras.Model) -> list[Finding]:
    """Findings on a built model, compiled or not, the most confident first. Weights are read, nothing is computed."""
    checks = (_outputs, _loss, _sizes, _augmentation, initializer_findings, *WEIGHT_CHECKS)
    found = [finding for check in checks for finding in check(model)]
    return sorted(found, key=lambda finding: -finding.confidence)


def _outputs(model: keras.Model) -> Iterator[Finding]:
    activation, layer = final_activation(model)
    if activation == "softmax" and any(activation_of(one) == "softmax" for one in feeding(layer, model)):
        yield Finding(
            "softmax_twice",
            "Softmax is applied to what softmax has made.",
            "Probabilities lie within 0 and 1, so the second softmax makes them nearly equal: gradients are small and "
            "the loss cannot fall below about ln(1 + (C - 1) / e).",
            ("remove one of the two",),
            0.95,
            layer.name,
            remedies=("output_and_loss",),
        )
    if activation == "softmax" and output_width(model) == 1:
        yield Finding(
            "softmax_of_one",
            "Softmax over a single unit is always 1.",
            "It has nothing to compare with, so the output does not depend on the input.",
            ("use sigmoid with binary_crossentropy", "use a unit for each class"),
            1.0,
            layer.name,
            remedies=("output_and_loss",),
        )
    if activation == "relu":
        yield Finding(
            "relu_output",
            "The last layer ends in ReLU.",
            "A class whose score falls below 0 gets no gradient and cannot come back.",
            ("remove the last activation, and tell the loss from_logits=True", "use softmax"),
            0.8,
            layer.name,
            remedies=("output_and_loss",),
        )


def _loss(model: keras.Model) -> Iterator[Finding]:
    loss = _loss_of(model)
    if loss is None:
        return
    name, from_logits = loss
    activation, layer = final_activation(model)
    makes = {"softmax": "probabilities", "sigmoid": "probabilities"}.get(activation, "logits")
    if from_logits and makes == "probabilities":
        yield Finding(
            "logits_expected",
            f"The loss is told from_logits=True, but the net ends in {activation}.",
            "The loss applies softmax a second time, which flattens its gradients.",
            (f"remove {activation} from {layer.name}", "compile with from_logits=False"),
            0.9,
            layer.name,
            remedies=("output_and_loss",),
        )
    if not from_logits and makes == "logits" and "crossentropy" in name:
        yield Finding(
            "probabilities_expected",
            f"{name} expects probabilities, but the net ends in {activation}.",
            "Numbers below 0 and above 1 are cut off before the logarithm, where their gradient is 0.",
            ("compile with from_logits=True", "end the net in softmax"),
            0.95,
            layer.name,
            remedies=("output_and_loss",),
        )
    width = output_width(model)
    if name in CLASSES_OF_LOSS and activation == "sigmoid" and width != 1:
        yield Finding(
            "sigmoid_for_classes",
            f"{name} over {width} classes that are decided one by one with sigmoid.",
            "Nothing pushes the other classes down when one goes up.",
            ("end the net in softmax",),
            0.6,
            layer.name,
            remedies=("output_and_loss",),
        )
    if name in CLASSES_OF_LOSS and width == 1:
        yield Finding(
            "too_few_outputs",
            f"{name} over one unit.",
            "It needs a unit for each class; with one the loss is constant.",
            ("use a unit for each class", "use binary_crossentropy and sigmoid for two classes"),
            1.0,
            layer.name,
        )


def _loss_of(model: keras.Model) -> tuple[str, bool] | None:
    """(its name, whether it expects logits); None if there is none, or it is the user's own."""
    loss = getattr(model, "loss", None)
    if not getattr(model, "compiled", False) or loss is None or isinstance(loss, dict | list):
        return None
    try:
        loss = keras.losses.get(loss)
    except ValueError:
        return None
    name = str(getattr(loss, "name", None) or getattr(loss, "__name__", ""))
    options = getattr(loss, "_fn_kwargs", {})
    return name, bool(options.get("from_logits", getattr(loss, "from_logits", False)))


def _sizes(model: keras.Model) -> Iterator[Finding]:
    for layer in layers_of(model):
        shape = _input_shape(layer)
        if not isinstance(layer, POOLS) or len(shape) != 4 or layer.data_format != "channels_last":
            continue
        size = layer.pool_size if hasattr(layer, "pool_size") else layer.kernel_size
        if None not in shape[1:3] and max(size) > 1 and shape[1] * shape[2] == 1:
            yield Finding(
                "image_shrunk_away",
                f"It looks at maps of 1x1 with a window of {size[0]}x{size[1]}.",
                "Pools and strides before it have taken the image away: most of its weights meet nothing but padding.",
                ("remove a pool or a stride", "use larger images"),
                0.5,
                layer.name,
            )


def _input_shape(layer: keras.layers.Layer) -> tuple:
    try:
        return tuple(layer.input.shape)
    except (AttributeError, ValueError):  # of a subclassed model, or with several inputs
        return ()


def _augmentation(model: keras.Model) -> Iterator[Finding]:
    for layer in layers_of(model):
        if type(layer).__name__.startswith("Random") and type(layer).__module__.startswith("keras"):
            yield Finding(
                "augmentation_inside",
                "Augmentation is a layer of the net.",
                "model.export() writes it in training mode, so the served model goes on turning and cutting images.",
                ("augment in the input pipeline", "export with training=False"),
                0.3,
                layer.name,
            )
