"""Do a net's last activation, its width and its loss fit each other?"""

from collections.abc import Iterator

import keras

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.graph import activation_of, final_activation, output_width, value_predecessors
from keras_cnn.diagnosis.probe.objective import compiled_loss, loss_name
from keras_cnn.diagnosis.suggestions import SOFTMAX, USE_LOGITS, Suggestion

CLASSES_OF_LOSS = ("categorical_crossentropy", "sparse_categorical_crossentropy")
SQUARED = ("mean_squared_error", "mean_absolute_error", "huber")


def _outputs(model: keras.Model) -> Iterator[Finding]:
    activation, layer = final_activation(model)
    if activation == "softmax" and any(
        activation_of(one) == "softmax" for one in value_predecessors(layer, model)
    ):
        yield Finding(
            "softmax_twice",
            "Softmax is applied to what softmax has made.",
            "Probabilities lie within 0 and 1, so the second softmax makes them nearly equal: gradients are small and "
            "the loss cannot fall below about ln(1 + (C - 1) / e).",
            (
                Suggestion(
                    "remove one of the two",
                    "the loss can fall to 0, and gradients are several times as large",
                ),
            ),
            0.95,
            layer.name,
            remedies=("output_and_loss",),
        )
    if activation == "softmax" and output_width(model) == 1:
        yield Finding(
            "softmax_of_one",
            "Softmax over a single unit is always 1.",
            "It has nothing to compare with, so the output does not depend on the input.",
            (
                Suggestion("use sigmoid with binary_crossentropy", "an output that depends on the image"),
                Suggestion("use a unit for each class", "the same, also for more than two classes"),
            ),
            1.0,
            layer.name,
            remedies=("output_and_loss",),
        )
    if activation == "tanh":
        yield Finding(
            "tanh_output",
            "The last layer ends in tanh.",
            "Scores between -1 and 1 keep the probability of each of C classes below 1 / (1 + (C - 1) / e^2), so the "
            "loss cannot come near 0.",
            (USE_LOGITS, SOFTMAX),
            0.7,
            layer.name,
            remedies=("output_and_loss",),
        )
    if activation == "relu":
        yield Finding(
            "relu_output",
            "The last layer ends in ReLU.",
            "A class whose score falls below 0 gets no gradient and cannot come back.",
            (USE_LOGITS, SOFTMAX),
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
            (
                Suggestion("compile with from_logits=False", "gradients several times as large"),
                Suggestion(
                    f"remove {activation} from {layer.name}",
                    "the same, and the loss is computed with less rounding",
                ),
            ),
            0.9,
            layer.name,
            remedies=("output_and_loss",),
        )
    if not from_logits and makes == "logits" and "crossentropy" in name:
        yield Finding(
            "probabilities_expected",
            f"{name} expects probabilities, but the net ends in {activation}.",
            "Numbers below 0 and above 1 are cut off before the logarithm, where their gradient is 0.",
            (
                Suggestion(
                    "compile with from_logits=True",
                    "a gradient for every score; without it nets seldom learn",
                ),
                SOFTMAX,
            ),
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
            (SOFTMAX,),
            0.6,
            layer.name,
            remedies=("output_and_loss",),
        )
    if name == "binary_crossentropy" and activation == "softmax" and (width or 0) > 2:
        yield Finding(
            "binary_loss_for_classes",
            f"binary_crossentropy over {width} classes that softmax decides between.",
            "It asks of each class for itself whether it is the one, and Keras then takes accuracy of that question "
            f"too: a net that knows nothing is right in {1 - 1 / (width or 1):.0%}.",
            (
                Suggestion(
                    "use categorical_crossentropy",
                    "an accuracy that means what it says, and larger gradients",
                ),
                Suggestion("end the net in sigmoid", "right only if an image may be of several classes"),
            ),
            0.5,
            layer.name,
            remedies=("output_and_loss",),
        )
    if name in SQUARED and makes == "probabilities":
        yield Finding(
            "squared_error_for_classes",
            f"{name} of probabilities.",
            f"Where the net is sure of a wrong class {activation} is flat, and hardly any gradient passes; that of "
            "cross-entropy grows with the error.",
            (Suggestion("use cross-entropy", "faster progress, most of all in the first epochs"),),
            0.4,
            layer.name,
            remedies=("output_and_loss",),
        )
    if name in CLASSES_OF_LOSS and width == 1:
        yield Finding(
            "too_few_outputs",
            f"{name} over one unit.",
            "It needs a unit for each class; with one the loss is constant.",
            (
                Suggestion("use a unit for each class", "a loss that depends on the weights"),
                Suggestion("use binary_crossentropy and sigmoid", "the same, for two classes"),
            ),
            1.0,
            layer.name,
        )


def _loss_of(model: keras.Model) -> tuple[str, bool] | None:
    """(its name, whether it expects logits); None if there is none, or it is the user's own."""
    loss = compiled_loss(model)
    if loss is None:
        return None
    options = getattr(loss, "_fn_kwargs", {})
    return loss_name(loss), bool(options.get("from_logits", getattr(loss, "from_logits", False)))


END_CHECKS = (_outputs, _loss)
