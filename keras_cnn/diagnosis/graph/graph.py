"""The layers of any Keras model, Sequential, functional or subclassed, and what feeds what."""

import math

import keras

DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
KERNEL_LAYERS = (*CONVOLUTIONS, *DEPTHWISE, *TRANSPOSED, *SEPARABLE, keras.layers.Dense)
IDENTITY_LAYERS = (keras.layers.Dropout, keras.layers.Flatten, keras.layers.Reshape, keras.layers.Identity)
# what operations are called -> the name of the activation: LeakyRelu is leaky_relu
ACTIVATIONS = {name.replace("_", ""): name for name in dir(keras.activations) if not name.startswith("_")}


def operations_of(model: keras.Model) -> list[keras.Operation]:
    """Everything that computes, in the order in which it is called, as far as the model tells it: layers, nested ones
    too, and what stands between them in a functional model, `keras.ops`, slices and sums of tensors."""
    found: dict[int, keras.Operation] = {}

    def walk(one) -> None:  # `_flatten_layers` gives what is nested backwards
        for part in one.operations if _is_functional(one) else getattr(one, "_layers", []):
            if id(part) not in found:
                found[id(part)] = part
                walk(part)

    walk(model)
    return [one for one in found.values() if not isinstance(one, keras.Model)]


def _is_functional(model) -> bool:
    return hasattr(type(model), "operations")  # a subclassed one may have an attribute of that name


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers among them."""
    return [one for one in operations_of(model) if isinstance(one, keras.layers.Layer)]


def predecessors(layer: keras.Operation, model: keras.Model) -> list[keras.Operation]:
    """What feeds `layer`; of a subclassed model, which does not tell, the layer that stands before it."""
    if not _is_functional(model):
        order = layers_of(model)
        place = order.index(layer)
        return order[place - 1 : place] if place else []
    return [node.operation for one in layer._inbound_nodes for node in one.parent_nodes]


def value_predecessors(layer: keras.Operation, model: keras.Model) -> list[keras.Operation]:
    """The same, but looking through what changes no values: dropout and reshapes."""
    found = []
    for parent in predecessors(layer, model):
        found += value_predecessors(parent, model) if isinstance(parent, IDENTITY_LAYERS) else [parent]
    return found


def bottleneck_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that have nothing beside them: whatever the outputs know of the inputs has passed through each."""
    order = operations_of(model)
    place = {id(one): index for index, one in enumerate(order)}
    passed: set[int] = set()
    for one in order:
        for parent in predecessors(one, model):
            source = last_layers(parent)[0] if isinstance(parent, keras.Model) else parent
            passed.update(range(place.get(id(source), len(order)) + 1, place[id(one)]))
    free = [one for index, one in enumerate(order) if index not in passed]
    known = _in_graphs(model)
    return [one for one in free if isinstance(one, keras.layers.Layer) and id(one) in known]


def _in_graphs(model: keras.Model) -> set[int]:
    """The ids of what stands in its graph, or stack, or in that of a model nested in it. Within a layer or model of
    one's own nobody knows what feeds what."""
    if not _is_functional(model) and not isinstance(model, keras.Sequential):
        return set()
    parts = model.operations if _is_functional(model) else model._layers
    nested = [_in_graphs(one) for one in parts if isinstance(one, keras.Model)]
    return set(map(id, parts)).union(*nested)


def last_layers(model: keras.Model) -> list[keras.Operation]:
    """What makes the model's outputs."""
    if not _is_functional(model):
        return layers_of(model)[-1:]
    return [tensor._keras_history.operation for tensor in model.outputs]


def activation_of(layer: keras.Operation) -> str:
    """The name of the activation that it applies, `linear` if none."""
    if not isinstance(layer, keras.layers.Layer):
        return ACTIVATIONS.get(type(layer).__name__.lower(), "linear")
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    if isinstance(layer, keras.layers.ReLU | keras.layers.LeakyReLU | keras.layers.PReLU):
        return "relu"
    if isinstance(layer, keras.layers.ELU):
        return "elu"
    activation = getattr(layer, "activation", None)
    if isinstance(activation, keras.layers.Layer):
        return activation_of(activation)
    return getattr(activation, "__name__", "linear") if activation is not None else "linear"


def kernel_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers with a kernel, in order."""
    return [layer for layer in layers_of(model) if isinstance(layer, KERNEL_LAYERS)]


def kernels_of(layer: keras.layers.Layer) -> list:
    """The kernels of a layer that has some, in the order in which they are applied: two of a separable convolution."""
    if isinstance(layer, SEPARABLE):
        return [layer.depthwise_kernel, layer.pointwise_kernel]
    return [layer.kernel] if getattr(layer, "kernel", None) is not None else []


def fan_in(layer: keras.layers.Layer) -> float:
    """How many inputs one output of a layer with a kernel adds up.

    Not what Keras's initializers take it for: they count all channels of a depthwise convolution, (h, w, C, m), whose
    outputs each see one, and the outputs of a transposed one, (h, w, out, in).
    """
    shape = tuple(kernels_of(layer)[0].shape)
    if isinstance(layer, SEPARABLE):
        return math.prod(shape[:-2]) * layer.pointwise_kernel.shape[-2]
    if isinstance(layer, DEPTHWISE):
        return math.prod(shape[:-2])
    if isinstance(layer, TRANSPOSED):
        return math.prod((*shape[:-2], shape[-1])) / math.prod(layer.strides)
    return math.prod(shape[:-1])


def activation_after(layer: keras.layers.Layer, model: keras.Model) -> str:
    """The activation that a layer's outputs go through: its own, or that of what follows, past normalization."""
    if activation_of(layer) != "linear":
        return activation_of(layer)
    order = operations_of(model)
    for after in order[order.index(layer) + 1 :]:
        if activation_of(after) != "linear":
            return activation_of(after)
        if isinstance(after, KERNEL_LAYERS):
            break
    return "linear"


def output_width(model: keras.Model) -> int | None:
    """How many numbers the net gives for an image, or a pixel; None where that cannot be told."""
    if _is_functional(model):
        return model.outputs[0].shape[-1]
    kernels = [kernel for layer in layers_of(model) for kernel in kernels_of(layer)]
    return kernels[-1].shape[-1] if kernels else None


def final_activation(model: keras.Model) -> tuple[str, keras.Operation]:
    """What the model's first output comes from: (activation, what applies it)."""
    layer = last_layers(model)[0]
    if isinstance(layer, keras.Model):
        return final_activation(layer)
    while isinstance(layer, IDENTITY_LAYERS) and predecessors(layer, model):
        layer = predecessors(layer, model)[0]
    return activation_of(layer), layer
