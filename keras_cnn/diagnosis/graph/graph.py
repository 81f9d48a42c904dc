"""The layers of any Keras model (Sequential, functional or subclassed) and their connections."""

import math

import keras
import numpy as np

DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
KERNEL_LAYERS = (*CONVOLUTIONS, *DEPTHWISE, *TRANSPOSED, *SEPARABLE, keras.layers.Dense)
IDENTITY_LAYERS = (keras.layers.Dropout, keras.layers.Flatten, keras.layers.Reshape, keras.layers.Identity)
# lower-case name of an operation -> name of the activation: LeakyRelu -> leaky_relu
ACTIVATIONS = {name.replace("_", ""): name for name in dir(keras.activations) if not name.startswith("_")}


def operations_of(model: keras.Model) -> list[keras.Operation]:
    """All operations in the order of execution, as far as the model exposes it.

    Layers, those of nested models and layers included, and in a functional model the operations between them:
    `keras.ops`, slices and sums of tensors.
    """
    found: dict[int, keras.Operation] = {}

    def walk(one) -> None:  # `_flatten_layers` lists nested layers in reverse
        for part in one.operations if _is_functional(one) else getattr(one, "_layers", []):
            if id(part) not in found:
                found[id(part)] = part
                walk(part)

    walk(model)
    return [one for one in found.values() if not isinstance(one, keras.Model)]


def _is_functional(model) -> bool:
    return hasattr(type(model), "operations")  # a subclassed one may have an attribute of that name


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers among `operations_of(model)`."""
    return [one for one in operations_of(model) if isinstance(one, keras.layers.Layer)]


def predecessors(layer: keras.Operation, model: keras.Model) -> list[keras.Operation]:
    """The operations whose outputs `layer` receives; of a subclassed model, which has no graph, the layer before it."""
    if not _is_functional(model):
        order = layers_of(model)
        place = order.index(layer)
        return order[place - 1 : place] if place else []
    return [node.operation for one in layer._inbound_nodes for node in one.parent_nodes]


def value_predecessors(layer: keras.Operation, model: keras.Model) -> list[keras.Operation]:
    """The same, with dropout and reshapes skipped, which change no values."""
    found = []
    for parent in predecessors(layer, model):
        found += value_predecessors(parent, model) if isinstance(parent, IDENTITY_LAYERS) else [parent]
    return found


def bottleneck_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers on every path from inputs to outputs: all information passes through each of them."""
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
    """The ids of the operations in the graph of the model and of nested models.

    Connections inside custom layers and subclassed models are unknown.
    """
    if not _is_functional(model) and not isinstance(model, keras.Sequential):
        return set()
    parts = model.operations if _is_functional(model) else model._layers
    nested = [_in_graphs(one) for one in parts if isinstance(one, keras.Model)]
    return set(map(id, parts)).union(*nested)


def last_layers(model: keras.Model) -> list[keras.Operation]:
    """The operations that produce the outputs of the model."""
    if not _is_functional(model):
        return layers_of(model)[-1:]
    return [tensor._keras_history.operation for tensor in model.outputs]


def activation_of(layer: keras.Operation) -> str:
    """The name of the activation that an operation applies, `linear` if none."""
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


def augmentation_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Keras's layers that change images at random in training."""
    return [
        layer
        for layer in layers_of(model)
        if type(layer).__name__.startswith("Random") and type(layer).__module__.startswith("keras")
    ]


def kernel_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers with kernels, in order of execution."""
    return [layer for layer in layers_of(model) if isinstance(layer, KERNEL_LAYERS)]


def kernels_of(layer: keras.layers.Layer) -> list:
    """The kernels of a layer in the order in which they are applied: two of a separable convolution."""
    if isinstance(layer, SEPARABLE):
        return [layer.depthwise_kernel, layer.pointwise_kernel]
    return [layer.kernel] if getattr(layer, "kernel", None) is not None else []


def fan_in(layer: keras.layers.Layer) -> float:
    """The number of inputs that one output of a layer sums.

    Keras's initializers compute it differently: they count all channels of a depthwise kernel (h, w, C, m), of which an
    output receives one, and the outputs of a transposed kernel (h, w, out, in).
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
    """The activation applied to the outputs of a layer: its own, or the first one before the next kernel."""
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
    """Number of outputs per image, or per pixel; None if unknown."""
    if _is_functional(model):
        return model.outputs[0].shape[-1]
    kernels = [kernel for layer in layers_of(model) for kernel in kernels_of(layer)]
    return kernels[-1].shape[-1] if kernels else None


def final_activation(model: keras.Model) -> tuple[str, keras.Operation]:
    """(name of the activation that produces the first output, the operation that applies it)."""
    layer = last_layers(model)[0]
    if isinstance(layer, keras.Model):
        return final_activation(layer)
    while isinstance(layer, IDENTITY_LAYERS) and predecessors(layer, model):
        layer = predecessors(layer, model)[0]
    return activation_of(layer), layer


def is_pretrained(model: keras.Model, layer: keras.layers.Layer) -> bool:
    """Whether the weights of a layer are from another training: it is frozen, or has biases that the last layer lacks.

    The head of a model for transfer is new, its biases are 0; training moves biases away from 0.
    """
    if not layer.trainable:
        return True
    head = kernel_layers(model)[-1:]
    return not any(_has_moved(one) for one in head) and _has_moved(layer)


def _has_moved(layer: keras.layers.Layer) -> bool:
    bias = getattr(layer, "bias", None)
    starts_at_zero = isinstance(getattr(layer, "bias_initializer", None), keras.initializers.Zeros)
    return bias is not None and starts_at_zero and bool(np.any(keras.ops.convert_to_numpy(bias)))
