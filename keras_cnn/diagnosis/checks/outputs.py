"""Whether the last activation, the number of outputs and the loss of a model fit each other."""

from collections.abc import Iterator

import keras

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import activation_of, final_activation, output_width, value_predecessors
from keras_cnn.diagnosis.probe.objective import compiled_loss, loss_name

CLASSES_OF_LOSS = ("categorical_crossentropy", "sparse_categorical_crossentropy")
SQUARED = ("mean_squared_error", "mean_absolute_error", "huber")


def _outputs(model: keras.Model) -> Iterator[Finding]:
    activation, layer = final_activation(model)
    if activation == "softmax" and any(
        activation_of(one) == "softmax" for one in value_predecessors(layer, model)
    ):
        yield make_finding(
            "softmax_twice", "Softmax is applied to the output of a softmax.", 0.95, layer.name
        )
    if activation == "softmax" and output_width(model) == 1:
        yield make_finding("softmax_of_one", "Softmax is applied to a single unit.", 1.0, layer.name)
    if activation == "tanh":
        yield make_finding("tanh_output", "The last layer ends in tanh.", 0.7, layer.name)
    if activation == "relu":
        yield make_finding("relu_output", "The last layer ends in ReLU.", 0.8, layer.name)


def _loss(model: keras.Model) -> Iterator[Finding]:
    loss = _loss_of(model)
    if loss is None:
        return
    name, from_logits = loss
    activation, layer = final_activation(model)
    has_probabilities = activation in ("softmax", "sigmoid")
    width = output_width(model)
    if from_logits and has_probabilities:
        message = f"The loss has from_logits=True, but the model ends in {activation}."
        yield make_finding("logits_expected", message, 0.9, layer.name)
    if not from_logits and not has_probabilities and "crossentropy" in name:
        message = f"{name} expects probabilities, but the last activation of the model is {activation}."
        yield make_finding("probabilities_expected", message, 0.95, layer.name)
    if name in CLASSES_OF_LOSS and activation == "sigmoid" and width != 1:
        message = f"{name} is used with {width} sigmoid outputs."
        yield make_finding("sigmoid_for_classes", message, 0.6, layer.name)
    if name == "binary_crossentropy" and activation == "softmax" and (width or 0) > 2:
        message = (
            f"binary_crossentropy is used with a softmax over {width} classes; a model that has learned nothing gets "
            f"an accuracy of {1 - 1 / (width or 1):.0%}."
        )
        yield make_finding("binary_loss_for_classes", message, 0.5, layer.name)
    if name in SQUARED and has_probabilities:
        message = f"{name} is used with the probabilities of {activation}."
        yield make_finding("squared_error_for_classes", message, 0.4, layer.name)
    if name in CLASSES_OF_LOSS and width == 1:
        yield make_finding("too_few_outputs", f"{name} is used with one output.", 1.0, layer.name)


def _loss_of(model: keras.Model) -> tuple[str, bool] | None:
    """(name, whether it expects logits) of the loss; None if there is none, or it is a custom function."""
    loss = compiled_loss(model)
    if loss is None:
        return None
    options = getattr(loss, "_fn_kwargs", {})
    return loss_name(loss), bool(options.get("from_logits", getattr(loss, "from_logits", False)))


OUTPUT_CHECKS = (_outputs, _loss)
