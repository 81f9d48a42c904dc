"""What a model consists of, layer by layer: kernels, sizes, parameters, multiplications, receptive field."""

from dataclasses import dataclass

import keras
from keras import layers

WHOLE = None  # a receptive field of the whole image
CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.Conv2DTranspose)
POOLS = (layers.MaxPooling2D, layers.AveragePooling2D)


@dataclass(frozen=True)
class LayerRow:
    """kernel, strides: (height, width), None where there is none. output_shape: without the batch. macs:
    multiply-adds for one image, of convolutions and dense layers. receptive_field: side in pixels of the input; None
    where it is the whole image."""

    name: str
    kind: str
    kernel: tuple[int, int] | None
    strides: tuple[int, int] | None
    padding: str | None
    output_shape: tuple[int, ...]
    parameters: int
    macs: int
    receptive_field: int | None


def describe(model: keras.Model) -> dict:
    """The table of a functional `model` as plain data.

    parameters, trainable_parameters, macs: totals. shares: of parameters and macs in convolution and in dense layers.
    layers: a `LayerRow` each, as dicts, in the order in which the image passes them.
    """
    fields = _receptive_fields(model)
    rows = [
        _row(layer, fields[layer.name]) for layer in model.layers if not isinstance(layer, layers.InputLayer)
    ]
    kinds = {"convolution": CONVOLUTIONS, "dense": layers.Dense}
    by_name = {layer.name: layer for layer in model.layers}
    parameters, macs = model.count_params(), sum(row.macs for row in rows)
    shares = {
        kind: {
            "parameters": sum(r.parameters for r in rows if isinstance(by_name[r.name], classes))
            / max(1, parameters),
            "macs": sum(r.macs for r in rows if isinstance(by_name[r.name], classes)) / max(1, macs),
        }
        for kind, classes in kinds.items()
    }
    return {
        "parameters": parameters,
        "trainable_parameters": sum(_size(weight) for weight in model.trainable_weights),
        "macs": macs,
        "shares": shares,
        "layers": [vars(row) for row in rows],
    }


def _row(layer: keras.Layer, field: float | None) -> LayerRow:
    windowed = isinstance(layer, (*CONVOLUTIONS, *POOLS))
    kernel = (layer.kernel_size if isinstance(layer, CONVOLUTIONS) else layer.pool_size) if windowed else None
    return LayerRow(
        name=layer.name,
        kind=type(layer).__name__,
        kernel=tuple(kernel) if kernel else None,
        strides=_pair(layer.strides) if windowed else None,
        padding=layer.padding if windowed else None,
        output_shape=tuple(layer.output.shape[1:]),
        parameters=layer.count_params(),
        macs=_macs(layer),
        receptive_field=None if field is WHOLE else round(field),
    )


def _macs(layer: keras.Layer) -> int:
    if isinstance(layer, layers.Dense):
        return _size(layer.output) * layer.kernel.shape[0]
    if isinstance(layer, layers.Conv2DTranspose):
        return _size(layer.input) * _size(layer.kernel) // layer.kernel.shape[3]
    if isinstance(layer, layers.DepthwiseConv2D):
        return _size(layer.output) * layer.kernel_size[0] * layer.kernel_size[1]
    if isinstance(layer, layers.Conv2D):
        return _size(layer.output) * _size(layer.kernel) // layer.kernel.shape[3]
    return 0


def _receptive_fields(model: keras.Model) -> dict[str, float | None]:
    """Layer -> side of the square of input pixels that one of its values sees (Araujo et al. 2019, Distill).

    `jump` is the distance in input pixels between two neighboring values.
    """
    found: dict[str, tuple[float | None, float]] = {}
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            found[layer.name] = (1.0, 1.0)
            continue
        tensors = layer.input if isinstance(layer.input, list) else [layer.input]
        before = [found[tensor._keras_history.operation.name] for tensor in tensors]
        field = WHOLE if any(f is WHOLE for f, _ in before) else max(f for f, _ in before)  # type: ignore[type-var]
        found[layer.name] = _after(layer, field, before[0][1])
    return {name: field for name, (field, _) in found.items()}


def _after(layer: keras.Layer, field: float | None, jump: float) -> tuple[float | None, float]:
    whole = isinstance(layer, layers.Flatten | layers.GlobalAveragePooling2D)
    if field is WHOLE or whole or type(layer).__name__ == "PerImageStandardization":
        return WHOLE, jump
    if isinstance(layer, layers.Conv2DTranspose):
        reach = max(0, -(-layer.kernel_size[0] // layer.strides[0]) - 1)
        return field + reach * jump, jump / layer.strides[0]
    if isinstance(layer, layers.UpSampling2D):
        return field, jump / layer.size[0]
    if isinstance(layer, (*CONVOLUTIONS, *POOLS)):
        kernel = layer.kernel_size if isinstance(layer, CONVOLUTIONS) else layer.pool_size
        return field + (kernel[0] - 1) * jump, jump * _pair(layer.strides)[0]
    return field, jump


def _pair(value) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _size(tensor) -> int:
    """Values of a weight, or of a tensor without its batch."""
    total = 1
    for length in tensor.shape if isinstance(tensor, keras.Variable) else tensor.shape[1:]:
        total *= length
    return total
