"""Rebuild a functional or Sequential model with other layers; weights are kept where names and shapes match."""

from collections.abc import Callable

import keras
import numpy as np

from keras_cnn.diagnosis.graph.graph import (
    DEPTHWISE,
    SEPARABLE,
    activation_after,
    is_pretrained,
    kernel_layers,
    kernels_of,
)
from keras_cnn.diagnosis.probe.learning_rate import optimizer_with
from keras_cnn.diagnosis.probe.objective import Objective
from keras_cnn.errors import InputError, in_one_line

Remake = Callable[[keras.layers.Layer], keras.layers.Layer]


def copy_of(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A new layer with the same configuration.

    Raises:
        InputError: if the layer cannot be recreated from its configuration.
    """
    return with_config(layer)


def with_config(layer: keras.layers.Layer, **changes) -> keras.layers.Layer:
    """A new layer with the same configuration, except for `changes`.

    Raises:
        InputError: if the layer cannot be recreated from its configuration.
    """
    try:
        return type(layer).from_config({**layer.get_config(), **changes})
    except (NotImplementedError, TypeError, ValueError) as error:
        raise InputError(
            f"layer {layer.name} of class {type(layer).__name__} cannot be copied, so the model cannot be repaired: "
            f"{in_one_line(error)} Give it a get_config that holds its arguments."
        ) from None


def call_layer(layer: keras.layers.Layer, *args, **kwargs):
    return layer(*args, **kwargs)


def rebuilt(model: keras.Model, remake: Remake = copy_of, call: Callable = call_layer) -> keras.Model:
    """Rebuild the graph of a model, nested models included, uncompiled.

    Args:
        model: a functional or Sequential model.
        remake: layer -> the new layer in its place.
        call: (new layer, *args, **kwargs) -> outputs; may apply other layers before and after it.

    Returns:
        The new model, with the weights of layers whose names and shapes match.

    Raises:
        InputError: for a subclassed model, whose graph is unknown, and for layers that cannot be copied.
    """
    if not getattr(model, "outputs", None):
        raise InputError(
            f"{model.name} is a subclassed model, whose graph cannot be changed; give a functional or Sequential model."
        )
    # a Sequential cannot be cloned with `call_function`; with lists of one tensor the new model would return lists
    ends = [tensors[0] if len(tensors) == 1 else tensors for tensors in (model.inputs, model.outputs)]
    graph = keras.Model(*ends, name=model.name)

    def remade(layer):
        return rebuilt(layer, remake, call) if isinstance(layer, keras.Model) else remake(layer)

    new = keras.models.clone_model(graph, clone_function=remade, call_function=call)
    carry_weights(model, new)
    return new


def carry_weights(old: keras.Model, new: keras.Model) -> None:
    """Copy weights from `old` to `new` wherever layers of one name have weights of one shape at one index."""
    known = {layer.name: layer for layer in old._flatten_layers(include_self=False)}
    for layer in new._flatten_layers(include_self=False):
        if layer.name in known and not layer._layers:
            for target, source in zip(layer.weights, known[layer.name].weights, strict=False):
                if target.shape == source.shape:
                    target.assign(source)


def compiled_like(
    new: keras.Model,
    old: keras.Model,
    objective: Objective,
    *,
    loss=None,
    rate: float | None = None,
    clip: float | None = None,
) -> keras.Model:
    """Compile `new` like `old`, or with `objective` if that is not compiled.

    Args:
        new: the model to compile.
        old: the original.
        objective: of the original.
        loss: instead of the original's.
        rate: learning rate instead of the original's.
        clip: maximum global norm of the gradients; None for the original's setting.

    Returns:
        `new`.
    """
    optimizer = objective.optimizer()
    if clip is not None:
        optimizer = optimizer_with(optimizer, global_clipnorm=clip)
    optimizer.learning_rate = rate or objective.rate
    known = dict(old._compile_config.config) if objective.compiled else {"loss": objective.measure}
    known |= {"optimizer": optimizer, "metrics": ["accuracy"]} | ({"loss": loss} if loss is not None else {})
    new.compile(**{key: known[key] for key in ("optimizer", "loss", "metrics")})
    return new


def hidden(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers with a kernel, in order, without the last, which computes the outputs, and without pretrained ones."""
    return [layer for layer in kernel_layers(model)[:-1] if not is_pretrained(model, layer)]


def hidden_activations(model: keras.Model) -> list[str]:
    """Names of the activations after hidden layers, each once."""
    names = dict.fromkeys(activation_after(layer, model) for layer in hidden(model))
    return [name for name in names if name not in ("linear", "softmax")]


def draw_weights(layer: keras.layers.Layer, initializer: str, seed: int) -> None:
    """Draw new kernels of `layer` from the initializer of that name; biases become 0."""
    kernels = kernels_of(layer)
    if isinstance(layer, SEPARABLE):  # no activation follows the first of its kernels
        _draw(kernels.pop(0), "LecunNormal", seed, depthwise=True)
    _draw(kernels[0], initializer, seed, depthwise=isinstance(layer, DEPTHWISE))
    if getattr(layer, "bias", None) is not None:
        layer.bias.assign(np.zeros(layer.bias.shape, "float32"))


def _draw(kernel, initializer: str, seed: int, depthwise: bool) -> None:
    """Draw one kernel; Keras counts all channels of a `depthwise` one as inputs and would draw too small weights."""
    drawn = keras.initializers.get({"class_name": initializer, "config": {"seed": seed}})
    shape = tuple(kernel.shape)
    shape = (*shape[:-2], 1, shape[-2] * shape[-1]) if depthwise else shape
    kernel.assign(keras.ops.reshape(drawn(shape, dtype="float32"), kernel.shape))
