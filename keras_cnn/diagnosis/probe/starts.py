"""Other starts of a model: new initial weights, drawn from its own initializers."""

from collections.abc import Iterator

import keras
import numpy as np

from keras_cnn.diagnosis.graph.graph import DEPTHWISE, SEPARABLE, is_pretrained, kernel_layers, kernels_of

# std of the weights / std of newly drawn ones, within which they are from that initializer
MAX_STD_RATIO = 1.5


def drawn_weights(model: keras.Model, seed: int) -> list[tuple[keras.Variable, np.ndarray]] | None:
    """New initial values of the kernels that are drawn at random, without assigning them.

    Args:
        model: a model that is not yet trained.
        seed: of the draws.

    Returns:
        Pairs of a kernel and its new value; None if the model has no such kernels, or if its weights are not those of
        its initializers: pretrained, or set by hand.
    """
    found = []
    for place, (kernel, initializer) in enumerate(_random_kernels(model)):
        config = {**initializer.get_config(), "seed": seed * 1000 + place}
        value = keras.ops.convert_to_numpy(type(initializer).from_config(config)(kernel.shape))
        std, drawn_std = np.std(keras.ops.convert_to_numpy(kernel)), np.std(value)
        if max(std, drawn_std) > MAX_STD_RATIO * min(std, drawn_std):
            return None
        found.append((kernel, value))
    return found or None


def _random_kernels(model: keras.Model) -> Iterator[tuple[keras.Variable, keras.initializers.Initializer]]:
    """The trainable kernels whose initializer draws at random."""
    for layer in kernel_layers(model):
        if is_pretrained(model, layer):
            continue
        names = ["depthwise", "pointwise"] if isinstance(layer, (*SEPARABLE, *DEPTHWISE)) else ["kernel"]
        for name, kernel in zip(names, kernels_of(layer), strict=False):  # a depthwise layer has one kernel
            initializer = getattr(layer, f"{name}_initializer", None)
            if isinstance(initializer, keras.initializers.Initializer) and "seed" in initializer.get_config():
                yield kernel, initializer
