"""Whether a pretrained base receives images as those it was trained on."""

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import layers_of
from keras_cnn.diagnosis.graph.moving_statistics import statistics_errors
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.suggestions import Suggestion

MEASURED_IMAGES = 16  # which pass through the whole model at up to twelve scales
COMPARED_LAYERS = 3  # the first layers of batch normalization, which depend on the scale of the images most
# set by hand
MIN_ERROR = (
    0.3  # standard deviations by which statistics are off; 0.1 to 0.2 for images like those of the training
)
MAX_BEST_RATIO = 0.4  # error of the best scale / error of the given one
# mean and standard deviation of ImageNet in 0..1, and its mean in 0..255, in the order red, green, blue
IMAGENET_MEAN, IMAGENET_STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
MAX_PIXEL = 255
CAFFE_MEAN = np.array([123.68, 116.779, 103.939])


@dataclass(frozen=True)
class InputScale:
    """A change of the images that a user gives: x * scale + offset, then the channels reversed.

    Args:
        what: the change, as an instruction.
        scale: factor, or one of each channel.
        offset: added after it.
        reverse: whether the order of the channels is reversed.
    """

    what: str
    scale: float | np.ndarray = 1.0
    offset: float | np.ndarray = 0.0
    reverse: bool = False

    def __call__(self, x: np.ndarray) -> np.ndarray:
        scaled = x * self.scale + self.offset
        return scaled[..., ::-1] if self.reverse else scaled


SCALES = (
    InputScale("multiply the images by 255", 255.0),
    InputScale("divide the images by 255", 1 / MAX_PIXEL),
    InputScale("scale the images from 0..255 to -1..1: x / 127.5 - 1", 1 / 127.5, -1.0),
    InputScale("scale the images from 0..1 to -1..1: 2 * x - 1", 2.0, -1.0),
    InputScale("scale the images from -1..1 to 0..255: 127.5 * (x + 1)", 127.5, 127.5),
    InputScale("scale the images from -1..1 to 0..1: (x + 1) / 2", 0.5, 0.5),
)
COLOR_SCALES = (
    InputScale("reverse the order of the channels (RGB or BGR)", reverse=True),
    InputScale(
        "subtract ImageNet's mean and divide by its standard deviation (images in 0..1)",
        1 / IMAGENET_STD,
        -IMAGENET_MEAN / IMAGENET_STD,
    ),
    InputScale(
        "subtract ImageNet's mean and divide by its standard deviation (images in 0..255)",
        1 / (MAX_PIXEL * IMAGENET_STD),
        -IMAGENET_MEAN / IMAGENET_STD,
    ),
    InputScale("convert to BGR and subtract ImageNet's mean (images in 0..255)", 1.0, -CAFFE_MEAN, True),
    InputScale("convert to BGR and subtract ImageNet's mean (images in 0..1)", 255.0, -CAFFE_MEAN, True),
)


def pretrained_findings(model: keras.Model, sample: Sample) -> Iterator[Finding]:
    """At most one finding: the moving statistics of a frozen base fit the images at another scale much better.

    Moving statistics of batch normalization are those of the images that a base was trained on: at the same scale its
    outputs have mean beta and standard deviation |gamma|.

    Args:
        model: built; of layers that are not frozen, or never trained, nothing is measured.
        sample: images as the model takes them.
    """
    layers, fitting = _measured_layers(model), fitting_scale(model, sample)
    if fitting is None:
        return
    scale, given, best = fitting
    yield make_finding(
        "pretrained_inputs_differ",
        f"The images range from {sample.x.min():.3g} to {sample.x.max():.3g}. With them the statistics of "
        f"{layers[0].name} in the frozen base are off by {given:.2g} standard deviations, after the first "
        f"suggestion by {best:.2g}.",
        0.97,
        layers[0].name,
        {"given": given, "best": best},
        suggestions=(Suggestion(scale.what, "images at the scale of those that the base was trained on"),),
    )


def fitting_scale(model: keras.Model, sample: Sample) -> tuple[InputScale, float, float] | None:
    """The change of the images with which the statistics of a frozen base fit much better.

    Args:
        model: built.
        sample: images as the model takes them.

    Returns:
        (change, error of the statistics without it, error with it), errors in standard deviations; None if the images
        fit as they are, no change helps, or no batch normalization is frozen.
    """
    layers, x = _measured_layers(model), sample.x[:MEASURED_IMAGES].astype("float32")
    if not layers:
        return None

    def error(images: np.ndarray) -> float:
        return max(statistics_errors(model, layers, images.astype("float32")).values())

    given = error(x)
    if given < MIN_ERROR:
        return None
    scales = SCALES + (COLOR_SCALES if x.ndim == 4 and x.shape[-1] == 3 else ())
    lowest, best = min(((error(scale(x)), scale) for scale in scales), key=lambda pair: pair[0])
    return (best, given, lowest) if lowest < MAX_BEST_RATIO * given else None


def _measured_layers(model: keras.Model) -> list[keras.layers.Layer]:
    return [one for one in layers_of(model) if _is_pretrained(one)][:COMPARED_LAYERS]


def _is_pretrained(layer: keras.layers.Layer) -> bool:
    if not isinstance(layer, keras.layers.BatchNormalization) or layer.trainable or not layer.built:
        return False
    mean, variance = (keras.ops.convert_to_numpy(one) for one in (layer.moving_mean, layer.moving_variance))
    return bool(np.any(mean != 0) or np.any(variance != 1))
