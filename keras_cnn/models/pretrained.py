"""Weights of ImageNet in a local file of `keras.applications`, for the same nets built here."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from keras_cnn.errors import InputError
from keras_cnn.input_files import check_file
from keras_cnn.models.references import Reference, reference

HDF5 = b"\x89HDF\r\n\x1a\n"
MAX_WEIGHTS_BYTES = 8_000_000_000  # those of convnext_xlarge have 1.4 GB
BODY_ENDS = ("flatten", "pool")  # layers after which the classifier begins


def check_weights(path: Path) -> None:
    """Raise InputError unless `path` is a file of HDF5."""
    check_file(path, MAX_WEIGHTS_BYTES)
    try:
        with path.open("rb") as file:
            begins = file.read(len(HDF5))
    except OSError as error:
        raise InputError(f"cannot read the weights {str(path)!r}: {error.strerror}.") from error
    if begins != HDF5:
        raise InputError(
            f"{str(path)!r} is no HDF5 file; give weights that keras.applications saved (.h5, .weights.h5)."
        )


def load_pretrained(model: keras.Model, architecture: str, path: Path) -> list[str]:
    """Give `model` the weights in `path`, of `keras.applications`, with its classifier or without.

    Returns the names of the layers that keep their own weights, for their shapes differ from the file's: the last one
    for another number of classes, VGG's dense ones for another size of images. The input must be RGB, normalized with
    the reference's mean and variance. InputError if the file is not of this architecture, or if most layers differ.
    """
    known = reference(architecture)
    new = copy_weights(model, _read(known, path), reversed_channels=known.reversed_channels)
    weighted = sum(bool(layer.weights) for layer in model.layers)
    if len(new) > weighted / 2:
        raise InputError(
            f"the weights in {str(path)!r} fit only {weighted - len(new)} of {weighted} layers of {architecture}: "
            "leave its --options at their defaults."
        )
    return new


def copy_weights(model: keras.Model, net: keras.Model, *, reversed_channels: bool = False) -> list[str]:
    """Give `model` the weights of `net`, the same one as `keras.applications` builds it.

    reversed_channels: whether `net` takes BGR and `model` RGB. Returns the names of the layers that keep their own
    weights, for their shapes differ.
    """
    found = iter([_arrays(layer) for layer in _leaves(net) if layer.weights])
    new = []
    weighted = [layer for layer in model.layers if layer.weights]
    for layer in weighted:
        values = _fitted(next(found, []), layer)
        if values is None:
            new.append(layer.name)
            continue
        if reversed_channels and layer is weighted[0]:
            values[0] = values[0][:, :, ::-1]
        layer.set_weights(values)
    return new


def freeze_body(model: keras.Model) -> None:
    """Train only what comes after the last convolution: the layers from `flatten` or the mean over pixels on."""
    for layer in model.layers:
        if layer.name in BODY_ENDS:
            return
        layer.trainable = False


def _read(known: Reference, path: Path) -> keras.Model:
    """The net of `keras.applications` with the weights in the file."""
    builder, cause = getattr(keras.applications, known.builder), ""
    for arguments in ({}, {"include_top": False}):
        net = builder(weights=None, **arguments)
        fresh = net.get_weights()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Keras warns of containers that it skips
                net.load_weights(path)
        except Exception as error:  # it raises whatever it stumbles on in a file of another net
            cause = str(error).splitlines()[0]
            continue
        loaded = net.get_weights()
        # a kernel that is as it was drawn has been skipped
        if not any(old.ndim > 1 and np.array_equal(old, new) for old, new in zip(fresh, loaded, strict=True)):
            return net
        cause = "it lacks some of the layers"
    raise InputError(
        f"{str(path)!r} holds no weights of keras.applications' {known.builder} ({cause.rstrip('.')})."
    )


def _leaves(net: keras.Model) -> Iterator[keras.Layer]:
    """The layers of `net` and of models inside it, but for those that normalize pixels: `statistics` does so here."""
    for layer in net.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        elif not isinstance(layer, keras.layers.Normalization):
            yield layer


def _arrays(layer: keras.Layer) -> list[np.ndarray]:
    """The weights of a layer, without a bias that batch normalization subtracts: its moving mean then lacks it."""
    arrays = layer.get_weights()
    if _is_batch_norm(layer):
        before = layer.input._keras_history.operation
        if _is_biased(before):
            arrays[2] = arrays[2] - keras.ops.convert_to_numpy(before.bias)
    elif _is_biased(layer) and any(_is_batch_norm(node.operation) for node in layer._outbound_nodes):
        arrays = arrays[:1]
    return arrays


def _is_batch_norm(layer: keras.Layer) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)


def _is_biased(layer: keras.Layer) -> bool:
    return isinstance(layer, keras.layers.Conv2D) and layer.use_bias


def _fitted(arrays: list[np.ndarray], layer: keras.Layer) -> list[np.ndarray] | None:
    """`arrays` in the shapes of the weights of `layer`; None if some do not fit.

    A depthwise kernel is (7, 7, C, 1) in ConvNeXt here, and (7, 7, 1, C) in `keras.applications`.
    """
    if len(arrays) != len(layer.weights):
        return None
    shapes = [tuple(weight.shape) for weight in layer.weights]
    values = [
        value.transpose(0, 1, 3, 2) if value.shape != shape and value.ndim == 4 else value
        for value, shape in zip(arrays, shapes, strict=True)
    ]
    return values if [value.shape for value in values] == shapes else None
