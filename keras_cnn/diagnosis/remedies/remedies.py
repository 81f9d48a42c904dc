"""Remedies for functional and Sequential models: each returns a compiled copy, or None if it does not apply."""

from collections.abc import Callable

import keras
import tensorflow as tf

from keras_cnn.diagnosis.graph.graph import (
    DEPTHWISE,
    SEPARABLE,
    activation_after,
    activation_of,
    kernel_layers,
    operations_of,
)
from keras_cnn.diagnosis.remedies.context import RepairContext
from keras_cnn.diagnosis.remedies.inputs import input_normalization, pretrained_inputs, remove_rescaling
from keras_cnn.diagnosis.remedies.lsuv import scale_to_unit_variance
from keras_cnn.diagnosis.remedies.outputs import repair_outputs
from keras_cnn.diagnosis.remedies.surgery import (
    copy_of,
    draw_weights,
    hidden,
    hidden_activations,
    rebuilt,
    with_config,
)

# name of the activation -> initializer; HeNormal for all others
INITIALIZERS = {
    "tanh": "GlorotUniform",
    "sigmoid": "GlorotUniform",
    "softsign": "GlorotUniform",
    "selu": "LecunNormal",
}
# layers of fewer than 16 units get 8 times as many, and at least 16
WIDTH_FACTOR, MIN_WIDTH = 8, 16
LSUV_IMAGES = 64
CLIP_NORM = 1.0


def batch_normalization(context: RepairContext) -> keras.Model | None:
    """Batch normalization between each hidden layer and its activation (Ioffe & Szegedy 2015)."""
    added = []
    names = {layer.name: layer for layer in hidden(context.model)}

    def remake(layer):
        return with_config(layer, activation="linear") if layer.name in names else copy_of(layer)

    def call(layer, *args, **kwargs):
        outputs = layer(*args, **kwargs)
        if layer.name not in names or _normalized(names[layer.name]):
            return outputs
        added.append(layer.name)
        outputs = keras.layers.BatchNormalization(name=f"{layer.name}_bn")(outputs)
        activation = activation_of(names[layer.name])
        return (
            outputs
            if activation == "linear"
            else keras.layers.Activation(activation, name=f"{layer.name}_act")(outputs)
        )

    new = rebuilt(context.model, remake, call)
    return context.compiled(new, rate=context.rate) if added else None


def initialization(context: RepairContext) -> keras.Model | None:
    """New weights: He for rectifiers (He et al. 2015), LeCun for SELU, Glorot for tanh and sigmoid; biases 0."""
    names = {
        layer.name: INITIALIZERS.get(activation_after(layer, context.model), "HeNormal")
        for layer in hidden(context.model)
    }

    def remake(layer):
        if layer.name not in names or isinstance(layer, (*DEPTHWISE, *SEPARABLE)):
            return copy_of(layer)
        return with_config(layer, kernel_initializer=names[layer.name], bias_initializer="zeros")

    new = rebuilt(context.model, remake)
    # by place: layers inside custom layers get new names, and kept biases look pretrained behind `bias_initializer`
    pairs = zip(kernel_layers(context.model), kernel_layers(new), strict=True)
    for number, (old, layer) in enumerate(pairs):
        if old.name in names:
            draw_weights(layer, names[old.name], context.seed + number)
    return context.compiled(new, rate=context.rate)


def lsuv(context: RepairContext) -> keras.Model | None:
    """Orthogonal kernels, scaled so that the outputs of each layer have variance 1 (Mishkin & Matas 2016, LSUV)."""
    new = rebuilt(context.model)
    x = tf.convert_to_tensor(context.sample.x[:LSUV_IMAGES])
    layers = hidden(new)
    for number, layer in enumerate(layers):
        draw_weights(layer, "Orthogonal", context.seed + number)
    scale_to_unit_variance(new, layers, x)
    return context.compiled(new, rate=context.rate)


def activation(context: RepairContext) -> keras.Model | None:
    """Replace hidden activations by ReLU, and ReLU by leaky ReLU, whose units cannot die; with He initialization."""
    found = hidden_activations(context.model)
    if not found:
        return None
    wanted = "leaky_relu" if found == ["relu"] else "relu"
    order = [one.name for one in operations_of(context.model)]
    last = hidden(context.model)[-1]
    early = set(order[: order.index(last.name) + 3])  # batch normalization and activation may follow
    changed = []

    def remake(layer):
        if layer.name not in early or activation_of(layer) not in found:
            return copy_of(layer)
        changed.append(layer.name)
        if hasattr(layer, "activation"):
            return with_config(layer, activation=wanted)
        return keras.layers.Activation(wanted, name=layer.name)

    new = context.compiled(rebuilt(context.model, remake), rate=context.rate)
    changed_context = RepairContext(new, context.sample, context.objective, context.rate, context.seed)
    return initialization(changed_context) if changed else None


def skip_connections(context: RepairContext) -> keras.Model | None:
    """Add the input of each hidden layer that keeps its shape to its output (He et al. 2016)."""
    names, added = {layer.name for layer in hidden(context.model)}, []

    def call(layer, *args, **kwargs):
        outputs = layer(*args, **kwargs)
        if layer.name in names and outputs.shape == args[0].shape:
            added.append(layer.name)
            return keras.layers.Add(name=f"{layer.name}_skip")([args[0], outputs])
        return outputs

    new = rebuilt(context.model, call=call)
    return context.compiled(new, rate=context.rate) if added else None


def widen(context: RepairContext) -> keras.Model | None:
    """Widen hidden layers of fewer than 16 units to 8 times as many, and at least 16."""
    names = {layer.name for layer in hidden(context.model)}

    def remake(layer):
        key = "filters" if hasattr(layer, "filters") else "units"
        width = getattr(layer, key, None)
        return (
            with_config(layer, **{key: max(MIN_WIDTH, WIDTH_FACTOR * width)})
            if layer.name in names and width and width < MIN_WIDTH
            else copy_of(layer)
        )

    new = rebuilt(context.model, remake)
    return (
        context.compiled(new, rate=context.rate)
        if new.count_params() != context.model.count_params()
        else None
    )


def learning_rate(context: RepairContext) -> keras.Model | None:
    """The best learning rate of the probe, held constant."""
    if context.rate == context.objective.rate and context.objective.rates is None:
        return None
    return context.compiled(rebuilt(context.model), rate=context.rate)


def gradient_clipping(context: RepairContext) -> keras.Model | None:
    """Clip the global norm of the gradients to 1 (Pascanu et al. 2013)."""
    return context.compiled(rebuilt(context.model), clip=CLIP_NORM)


def unfreeze(context: RepairContext) -> keras.Model | None:
    """Make all weights trainable."""
    if context.model.trainable_weights:
        return None
    new = rebuilt(context.model)
    for layer in new._flatten_layers():
        layer.trainable = True
    return context.compiled(new)


def output_and_loss(context: RepairContext) -> keras.Model | None:
    """End the model in one softmax (or sigmoid), with the cross-entropy that expects it."""
    return repair_outputs(context)


def _normalized(layer: keras.layers.Layer) -> bool:
    after = [node.operation for node in layer._outbound_nodes]
    return any(isinstance(one, keras.layers.BatchNormalization) for one in after)


# in order of cost: the first ones change no layer and keep all weights
REMEDIES: dict[str, Callable[[RepairContext], keras.Model | None]] = {
    "unfreeze": unfreeze,
    "output_and_loss": output_and_loss,
    "learning_rate": learning_rate,
    "pretrained_inputs": pretrained_inputs,
    "remove_rescaling": remove_rescaling,
    "input_normalization": input_normalization,
    "gradient_clipping": gradient_clipping,
    "initialization": initialization,
    "lsuv": lsuv,
    "batch_normalization": batch_normalization,
    "activation": activation,
    "skip_connections": skip_connections,
    "widen": widen,
}
