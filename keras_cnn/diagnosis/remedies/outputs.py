"""Replace the last activation and the loss of a model so that they fit each other."""

import keras
import numpy as np

from keras_cnn.diagnosis.graph.graph import IDENTITY_LAYERS, KERNEL_LAYERS, activation_of, predecessors
from keras_cnn.diagnosis.remedies.surgery import carry_weights, copy_of, rebuilt, with_config


def repair_outputs(context) -> keras.Model | None:
    """A copy that ends in one softmax (sigmoid for one unit), with the cross-entropy that fits the labels.

    Args:
        context: of the repair.

    Returns:
        The compiled copy; None if other layers than activations, dropout and reshapes follow the last kernel.
    """
    model, y = context.model, context.sample.y
    last = _last_kernel(model)
    if last is None:
        return None
    width = _outputs_for(y, model.output_shape)
    final = "sigmoid" if width == 1 else "softmax"
    one_hot = y.ndim == len(model.output_shape) and y.shape[-1] == width > 1
    loss = "binary_crossentropy" if width == 1 else f"{'' if one_hot else 'sparse_'}categorical_crossentropy"
    units = (
        {} if width == model.output_shape[-1] else {"filters" if hasattr(last, "filters") else "units": width}
    )

    def remake(layer):
        changes = {"activation": "linear", **units}
        return with_config(layer, **changes) if layer.name == last.name else copy_of(layer)

    graph = rebuilt(model, remake)
    outputs = keras.layers.Activation(final, dtype="float32", name="repaired_outputs")(
        graph.get_layer(last.name).output
    )
    new = keras.Model(graph.input, outputs, name=model.name)
    carry_weights(model, new)
    return context.compiled(new, loss=loss)


def _last_kernel(model: keras.Model) -> keras.layers.Layer | None:
    """The layer with a kernel after which only activations, dropout and reshapes follow; None if there is none."""
    if not getattr(model, "outputs", None):
        return None
    layer = model.outputs[0]._keras_history.operation
    while layer is not None and not isinstance(layer, KERNEL_LAYERS):
        skipped = (*IDENTITY_LAYERS, keras.layers.Activation, keras.layers.Softmax, keras.layers.ReLU)
        is_function = not isinstance(layer, keras.layers.Layer) and activation_of(layer) != "linear"
        parents = predecessors(layer, model) if isinstance(layer, skipped) or is_function else []
        layer = parents[0] if len(parents) == 1 else None
    return layer


def _outputs_for(y: np.ndarray, shape: tuple[int | None, ...]) -> int:
    """The number of outputs: that of the model, or that of the classes where one output cannot represent the labels."""
    width = int(shape[-1] or 1)
    columns = y.shape[-1] if y.ndim == len(shape) else 1
    classes = columns if columns > 1 else int(y.max()) + 1
    return classes if width == 1 and (columns > 1 or classes > 2) else width
