"""Weights of ImageNet in a local file of `keras.applications`, for the same nets built here."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from keras_cnn.errors import InputError
from keras_cnn.input_files import check_file

HDF5 = b"\x89HDF\r\n\x1a\n"
MAX_WEIGHTS_BYTES = 8_000_000_000  # those of convnext_xlarge have 1.4 GB
BODY_ENDS = ("flatten", "pool")  # layers after which the classifier begins


@dataclass(frozen=True)
class Reference:
    """builder: of `keras.applications`. mean, variance: of RGB pixels 0..255 as the weights expect them, per channel.
    reversed_channels: whether they take BGR."""

    builder: str
    mean: tuple[float, ...]
    variance: tuple[float, ...]
    reversed_channels: bool


def _vgg(builder: str) -> Reference:
    """Simonyan & Zisserman's own weights, of Caffe: the mean is subtracted, and that is all."""
    return Reference(builder, (123.68, 116.779, 103.939), (1.0, 1.0, 1.0), reversed_channels=True)


def _convnext(builder: str) -> Reference:
    """The usual mean and deviation of ImageNet, times 255."""
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    statistics = tuple(255 * m for m in mean), tuple((255 * d) ** 2 for d in deviation)
    return Reference(builder, *statistics, reversed_channels=False)


REFERENCES = {
    "vgg16": _vgg("VGG16"),
    "vgg19": _vgg("VGG19"),
    "convnext_tiny": _convnext("ConvNeXtTiny"),
    "convnext_small": _convnext("ConvNeXtSmall"),
    "convnext_base": _convnext("ConvNeXtBase"),
    "convnext_large": _convnext("ConvNeXtLarge"),
    "convnext_xlarge": _convnext("ConvNeXtXLarge"),
}


def reference(architecture: str) -> Reference:
    """What is known of the weights for `architecture`; InputError where `keras.applications` has none."""
    if architecture not in REFERENCES:
        raise InputError(f"there are no weights for {architecture}; there are for {', '.join(REFERENCES)}.")
    return REFERENCES[architecture]


def statistics(
    architecture: str, value_range: tuple[float, float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and variance per channel that the weights for `architecture` expect, of pixels in `value_range`."""
    known, (low, high) = reference(architecture), value_range
    scale = (high - low) / 255
    return tuple(low + scale * m for m in known.mean), tuple(scale**2 * v for v in known.variance)


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
    the reference's mean and variance. InputError if the file is not of this architecture.
    """
    known = reference(architecture)
    found = iter(_read(known, path))
    new = []
    for layer in [layer for layer in model.layers if layer.weights]:
        fitted = [_fitted(next(found, None), weight.shape) for weight in layer.weights]
        values = [value for value in fitted if value is not None]
        if len(values) < len(fitted):
            new.append(layer.name)
            continue
        if known.reversed_channels and layer is _first(model):
            values[0] = values[0][:, :, ::-1]
        layer.set_weights(values)
    return new


def freeze_body(model: keras.Model) -> None:
    """Train only what comes after the last convolution: the layers from `flatten` or the mean over pixels on."""
    for layer in model.layers:
        if layer.name in BODY_ENDS:
            return
        layer.trainable = False


def _read(known: Reference, path: Path) -> list[np.ndarray]:
    """The arrays in the file, in the order of the layers."""
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
            return loaded
        cause = "it lacks some of the layers"
    raise InputError(
        f"{str(path)!r} holds no weights of keras.applications' {known.builder} ({cause.rstrip('.')})."
    )


def _fitted(value: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
    """`value` in `shape`, or None: a depthwise kernel is (7, 7, C, 1) here and (7, 7, 1, C) in `keras.applications`."""
    if value is not None and value.shape != shape and value.ndim == 4:
        value = value.transpose(0, 1, 3, 2)
    return value if value is not None and value.shape == shape else None


def _first(model: keras.Model) -> keras.Layer:
    return next(layer for layer in model.layers if layer.weights)
