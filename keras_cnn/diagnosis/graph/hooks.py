"""Observe the outputs of the layers of any Keras model without changing the model."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras


@contextlib.contextmanager
def forward_hooks(
    layers: Iterable[keras.layers.Layer], on_output: Callable[[keras.layers.Layer, Any], None]
) -> Iterator[None]:
    """A context in which `on_output(layer, outputs)` is called after every call of one of `layers`."""
    changed = []
    try:
        for layer in layers:
            changed.append((layer, vars(layer).get("call")))
            object.__setattr__(layer, "call", _hook(layer, layer.call, on_output))
        yield
    finally:
        for layer, before in reversed(changed):
            if before is None:
                object.__delattr__(layer, "call")
            else:  # another hook is active
                object.__setattr__(layer, "call", before)


def _hook(layer: keras.layers.Layer, call: Callable, on_output: Callable) -> Callable:
    def hooked(*args, **kwargs):
        outputs = call(*args, **kwargs)
        on_output(layer, outputs)
        return outputs

    return hooked
