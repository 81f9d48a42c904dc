"""Observe the outputs of the layers of any Keras model without changing the model."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.diagnosis.graph.graph import kernel_layers
from keras_cnn.training.ema import preserve_variables


def kernel_inputs(model: keras.Model, x: Any) -> np.ndarray | None:
    """What the first layer with a kernel receives for images `x` in training mode; None if the model has no kernel.

    Args:
        model: the model; variables that a forward pass changes are restored.
        x: images (N, ...) as the model takes them.
    """
    layers, found = kernel_layers(model), []
    if not layers:
        return None

    def hooked(inputs, *args, _call=layers[0].call, **kwargs):
        found.append(np.asarray(inputs, "float32"))
        return _call(inputs, *args, **kwargs)

    with preserve_variables(model, model.variables), _replaced_call(layers[0], hooked):
        model(tf.convert_to_tensor(x), training=True)
    return found[0] if found else None


@contextlib.contextmanager
def replaced_calls(layers: Iterable[keras.layers.Layer], call: Callable) -> Iterator[None]:
    """A context in which `layers` compute `call(inputs, ...)` instead of their own outputs."""
    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(_replaced_call(layer, call))
        yield


@contextlib.contextmanager
def _replaced_call(layer: keras.layers.Layer, call: Callable) -> Iterator[None]:
    before = vars(layer).get("call")
    object.__setattr__(layer, "call", call)
    try:
        yield
    finally:
        if before is None:
            object.__delattr__(layer, "call")
        else:  # another hook is active
            object.__setattr__(layer, "call", before)


@contextlib.contextmanager
def forward_hooks(
    layers: Iterable[keras.layers.Layer], on_output: Callable[[keras.layers.Layer, Any], None]
) -> Iterator[None]:
    """A context in which `on_output(layer, outputs)` is called after every call of one of `layers`."""
    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(_replaced_call(layer, _hook(layer, layer.call, on_output)))
        yield


def _hook(layer: keras.layers.Layer, call: Callable, on_output: Callable) -> Callable:
    def hooked(*args, **kwargs):
        outputs = call(*args, **kwargs)
        on_output(layer, outputs)
        return outputs

    return hooked
