"""What the ImageNet weights of `keras.applications` expect of a net: its pixels, activation and normalization."""

from dataclasses import dataclass

from keras_cnn.errors import InputError


@dataclass(frozen=True)
class Reference:
    """builder: of `keras.applications`. mean, variance: of RGB pixels 0..255 as the weights expect them, per channel.
    reversed_channels: whether they take BGR. batch_norm: whether they include batch normalization; None where
    `batch_norm` has no meaning."""

    builder: str
    mean: tuple[float, ...]
    variance: tuple[float, ...]
    reversed_channels: bool
    activation: str
    batch_norm: bool | None


def _of_caffe(builder: str, batch_norm: bool) -> Reference:
    """The authors' own weights, of Caffe: the mean is subtracted, and that is all."""
    mean, variance = (123.68, 116.779, 103.939), (1.0, 1.0, 1.0)
    return Reference(builder, mean, variance, True, "relu", batch_norm)


def _of_imagenet(builder: str, activation: str, batch_norm: bool | None) -> Reference:
    """The usual mean and deviation of ImageNet, times 255."""
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    statistics = tuple(255 * m for m in mean), tuple((255 * d) ** 2 for d in deviation)
    return Reference(builder, *statistics, False, activation, batch_norm)


REFERENCES = {
    "vgg16": _of_caffe("VGG16", batch_norm=False),
    "vgg19": _of_caffe("VGG19", batch_norm=False),
    "convnext_tiny": _of_imagenet("ConvNeXtTiny", "gelu", batch_norm=None),
    "convnext_small": _of_imagenet("ConvNeXtSmall", "gelu", batch_norm=None),
    "convnext_base": _of_imagenet("ConvNeXtBase", "gelu", batch_norm=None),
    "convnext_large": _of_imagenet("ConvNeXtLarge", "gelu", batch_norm=None),
    "convnext_xlarge": _of_imagenet("ConvNeXtXLarge", "gelu", batch_norm=None),
    "resnet50": _of_caffe("ResNet50", batch_norm=True),
    # pixels in -1..1
    "mobilenet_v2": Reference("MobileNetV2", (127.5,) * 3, (127.5**2,) * 3, False, "relu6", batch_norm=True),
    "efficientnet_b0": _of_imagenet("EfficientNetB0", "silu", batch_norm=True),
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


def check_layers(architecture: str, activation: str, batch_norm: bool) -> None:
    """Raise InputError where the weights for `architecture` were trained with other layers than these."""
    known = reference(architecture)
    if batch_norm and known.batch_norm is False:
        raise InputError(
            f"the weights of {architecture} know no batch normalization: give --batch_norm false."
        )
    if not batch_norm and known.batch_norm:
        raise InputError(
            f"the weights of {architecture} need batch normalization: leave --batch_norm at true."
        )
    if activation != known.activation:
        raise InputError(
            f"the weights of {architecture} were trained with {known.activation}, not {activation}: "
            f"give --activation {known.activation}."
        )
