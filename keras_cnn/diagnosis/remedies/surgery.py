"""Change a functional or Sequential model: the same graph with other layers, its weights kept where they fit."""

from collections.abc import Callable

import keras
import numpy as np

from keras_cnn.diagnosis.graph.graph import DEPTHWISE, SEPARABLE, activation_after, kernel_layers, kernels_of
from keras_cnn.diagnosis.probe.objective import Objective, optimizer_with
from keras_cnn.errors import InputError, in_one_line

Remake = Callable[[keras.layers.Layer], keras.layers.Layer]


def copy_of(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A new layer of the same settings. InputError for one that does not tell them."""
    return with_config(layer)


def with_config(layer: keras.layers.Layer, **changes) -> keras.layers.Layer:
    """A new layer of the same settings but `changes`."""
    try:
        return type(layer).from_config({**layer.get_config(), **changes})
    except (NotImplementedError, TypeError, ValueError) as error:
        raise InputError(
            f"layer {layer.name} of {type(layer).__name__} cannot be copied, so the net cannot be changed: "
            f"{in_one_line(error)} Give it a get_config that holds its arguments."
        ) from None


def call_layer(layer: keras.layers.Layer, *args, **kwargs):
    return layer(*args, **kwargs)


def rebuilt(model: keras.Model, remake: Remake = copy_of, call: Callable = call_layer) -> keras.Model:
    """The graph of `model` again, that of nested ones too, uncompiled. remake: layer -> the new one in its place. call:
    how a new layer is applied, where others can be put before and after it. Weights of equal name and shape are carried
    over.

    InputError for a subclassed model, whose graph nobody knows.
    """
    if not getattr(model, "outputs", None):
        raise InputError(
            f"{model.name} is a subclassed model, whose graph cannot be changed. Give a functional or Sequential one."
        )
    # a Sequential cannot be cloned with `call`; and lists of one tensor would make the new model give lists
    ends = [tensors[0] if len(tensors) == 1 else tensors for tensors in (model.inputs, model.outputs)]
    graph = keras.Model(*ends, name=model.name)

    def remade(layer):
        return rebuilt(layer, remake, call) if isinstance(layer, keras.Model) else remake(layer)

    new = keras.models.clone_model(graph, clone_function=remade, call_function=call)
    carry_weights(model, new)
    return new


def carry_weights(old: keras.Model, new: keras.Model) -> None:
    """Give `new` the weights of `old` wherever a layer of the same name has one of the same shape in the same place."""
    known = {layer.name: layer for layer in old._flatten_layers(include_self=False)}
    for layer in new._flatten_layers(include_self=False):
        if layer.name in known and not layer._layers:
            for mine, theirs in zip(layer.weights, known[layer.name].weights, strict=False):
                if mine.shape == theirs.shape:
                    mine.assign(theirs)


def compiled_like(
    new: keras.Model,
    old: keras.Model,
    objective: Objective,
    *,
    loss=None,
    rate: float | None = None,
    clip: float | None = None,
) -> keras.Model:
    """`new`, compiled as `old` is, or as `objective` says; with another `loss`, `rate` or gradient norm `clip`."""
    optimizer = objective.optimizer()
    if clip is not None:
        optimizer = optimizer_with(optimizer, global_clipnorm=clip)
    optimizer.learning_rate = rate or objective.rate
    known = dict(old._compile_config.config) if objective.compiled else {"loss": objective.measure}
    known |= {"optimizer": optimizer, "metrics": ["accuracy"]} | ({"loss": loss} if loss is not None else {})
    new.compile(**{key: known[key] for key in ("optimizer", "loss", "metrics")})
    return new


def hidden(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers with a kernel, in order, but the last, which makes the scores."""
    return kernel_layers(model)[:-1]


def hidden_activations(model: keras.Model) -> list[str]:
    """Names of the activations that hidden layers go through, each once."""
    names = dict.fromkeys(activation_after(layer, model) for layer in hidden(model))
    return [name for name in names if name not in ("linear", "softmax")]


def draw_weights(layer: keras.layers.Layer, initializer: str, seed: int) -> None:
    """New kernel of `layer` from the initializer of that name, biases 0."""
    kernels = kernels_of(layer)
    if isinstance(layer, SEPARABLE):  # no activation follows the first of its kernels
        _draw(kernels.pop(0), "LecunNormal", seed, depthwise=True)
    _draw(kernels[0], initializer, seed, depthwise=isinstance(layer, DEPTHWISE))
    if getattr(layer, "bias", None) is not None:
        layer.bias.assign(np.zeros(layer.bias.shape, "float32"))


def _draw(kernel, initializer: str, seed: int, depthwise: bool) -> None:
    """depthwise: Keras would count all channels as inputs of each, and draw too small weights."""
    drawn = keras.initializers.get({"class_name": initializer, "config": {"seed": seed}})
    shape = tuple(kernel.shape)
    shape = (*shape[:-2], 1, shape[-2] * shape[-1]) if depthwise else shape
    kernel.assign(keras.ops.reshape(drawn(shape, dtype="float32"), kernel.shape))
