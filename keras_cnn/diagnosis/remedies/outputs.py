"""Mend the end of a net and its loss, so that they fit each other."""

import keras

from keras_cnn.diagnosis.graph.graph import IDENTITY_LAYERS, KERNEL_LAYERS, activation_of, predecessors
from keras_cnn.diagnosis.remedies.surgery import carry_weights, copy_of, rebuilt, with_config


def repair_outputs(context) -> keras.Model | None:
    """The net with all activations after its last kernel replaced by one softmax, or sigmoid for one unit, and the
    cross-entropy of the labels it is given, which expects probabilities. None where no kernel is found at its end."""
    model, y = context.model, context.sample.y
    last = _last_kernel(model)
    if last is None:
        return None
    width = int(model.output_shape[-1])
    final = "sigmoid" if width == 1 else "softmax"
    whole = y.ndim == len(model.output_shape) and y.shape[-1] == width > 1
    loss = "binary_crossentropy" if width == 1 else f"{'' if whole else 'sparse_'}categorical_crossentropy"

    def remake(layer):
        return with_config(layer, activation="linear") if layer.name == last.name else copy_of(layer)

    graph = rebuilt(model, remake)
    outputs = keras.layers.Activation(final, dtype="float32", name="mended_outputs")(
        graph.get_layer(last.name).output
    )
    new = keras.Model(graph.input, outputs, name=model.name)
    carry_weights(model, new)
    return context.compiled(new, loss=loss)


def _last_kernel(model: keras.Model) -> keras.layers.Layer | None:
    """The layer with a kernel that only activations, dropout and reshapes follow."""
    if not getattr(model, "outputs", None):
        return None
    layer = model.outputs[0]._keras_history.operation
    while layer is not None and not isinstance(layer, KERNEL_LAYERS):
        passes = (*IDENTITY_LAYERS, keras.layers.Activation, keras.layers.Softmax, keras.layers.ReLU)
        applied = not isinstance(layer, keras.layers.Layer) and activation_of(layer) != "linear"
        plain = isinstance(layer, passes) or applied
        parents = predecessors(layer, model) if plain else []
        layer = parents[0] if len(parents) == 1 else None
    return layer
