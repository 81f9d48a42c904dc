"""build_model: ModelSpec -> Input -> normalization -> architecture -> float32 probabilities."""

import contextlib
import warnings
from collections.abc import Iterator

import keras

from keras_cnn.errors import unknown_name
from keras_cnn.models.layers import BatchNormalization
from keras_cnn.models.normalization import normalization_layer
from keras_cnn.models.registry import check_options, get_architecture
from keras_cnn.models.spec import ModelSpec

RECTIFIERS = ("relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "swish", "mish")
# 13 ReLU + Glorot layers still learn at the usual rates, 16 stick at chance (docs/lecture.md)
DEEP = 12


class InitializationWarning(UserWarning):
    """The initializer does not suit the activation at this depth."""


def build_model(spec: ModelSpec) -> keras.Model:
    """Build an uncompiled functional model.

    Its input `images` is (B, H, W, C), uint8 or float, in the range `spec.value_range`; its output `probabilities` is
    float32 (B, classes), in segmentation (B, H', W', classes), with a sum of 1 over the classes. Hidden layers compute
    in `spec.precision`.

    Args:
        spec: architecture, sizes and options.

    Returns:
        The model, with new weights.

    Raises:
        InputError: for names, options and sizes that the architecture cannot take.
    """
    architecture = get_architecture(spec.architecture)
    check_options(spec.architecture, spec.options)
    check_style(spec.activation, spec.kernel_initializer)
    style = {
        name: getattr(spec, name) for name in ("activation", "kernel_initializer", "batch_norm", "dropout")
    }
    with _dtype_policy(spec.precision):
        images = keras.Input(spec.input_shape, name="images")
        x = normalization_layer(spec)(images)
        arguments = architecture.fixed | spec.options
        scores = architecture.load()(x, classes=spec.classes, style=style, **arguments)
        outputs = keras.layers.Activation("softmax", dtype="float32", name="probabilities")(scores)
    model = keras.Model(images, outputs, name=spec.architecture)
    for layer in model.layers:
        if isinstance(layer, BatchNormalization):
            layer.synchronized = spec.synchronized
    _warn_of_initializer(spec, model)
    return model


def check_style(activation: str, kernel_initializer: str) -> None:
    """Raise InputError for a name that Keras does not know; it lists the names that Keras knows."""
    for kind, name, module in (
        ("activation", activation, keras.activations),
        ("kernel_initializer", kernel_initializer, keras.initializers),
    ):
        if name not in _names(module):
            raise unknown_name(kind, name, _names(module))


def _names(module) -> list[str]:
    """Snake-case names that `module.get` resolves without arguments."""
    not_one = {"get", "serialize", "deserialize", "identity", "glu", "stft"}
    return [n for n in dir(module) if n.islower() and not n.startswith("_") and n not in not_one]


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _warn_of_initializer(spec: ModelSpec, model: keras.Model) -> None:
    hidden = sum(isinstance(layer, keras.layers.Conv2D | keras.layers.Dense) for layer in model.layers) - 1
    suits = not (spec.activation in RECTIFIERS and spec.kernel_initializer.startswith("glorot"))
    if suits or spec.batch_norm or hidden < DEEP:
        return
    warnings.warn(
        f"{hidden} hidden layers of {spec.activation} with {spec.kernel_initializer} and without batch "
        "normalization: each layer halves the signal's variance, and the net may stay at chance. "
        "Use kernel_initializer he_normal, batch_norm true, or a learning rate of 3e-4 or less.",
        InitializationWarning,
        stacklevel=3,
    )
