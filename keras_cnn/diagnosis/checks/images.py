"""Whether images are finite, vary, and have their channels where the model expects them."""

from collections.abc import Iterator

import keras
import numpy as np

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import CONVOLUTIONS, layers_of
from keras_cnn.diagnosis.probe.data import Sample

# set by hand
MAX_CONSTANT_IMAGES = 0.1  # share of images with one value in all pixels
MAX_BINARY_SHARE = 0.95  # share of the more frequent of two pixel values
COUNTED_IMAGES, COUNTED_PIXELS = 256, 2**20  # whose values are counted
CHANNELS = (1, 3, 4)  # of gray, RGB and RGBA images


def image_findings(sample: Sample, model: keras.Model) -> list[Finding]:
    """Findings on the images; one alone if they are not finite."""
    return list(_not_finite(sample.x)) or [
        *_constant_channels(sample.x),
        *_nearly_constant(sample.x),
        *_channels_first(sample.x, model),
    ]


def _not_finite(x: np.ndarray) -> Iterator[Finding]:
    count = int(np.size(x) - np.isfinite(x).sum()) if x.dtype.kind == "f" else 0
    if count:
        yield make_finding("images_not_finite", f"{count} values in the images are NaN or infinite.", 1.0)


def _constant_channels(x: np.ndarray) -> Iterator[Finding]:
    channels = x.reshape(-1, x.shape[-1])
    constant = [index for index in range(channels.shape[-1]) if np.ptp(channels[:, index]) == 0]
    if constant:
        yield make_finding(
            "constant_channels",
            f"Channel {', '.join(map(str, constant))} of {channels.shape[-1]} has the same value in every pixel.",
            0.9 if len(constant) == channels.shape[-1] else 0.3,
        )


def _nearly_constant(x: np.ndarray) -> Iterator[Finding]:
    flat = x.reshape(len(x), -1)
    if np.ptp(flat) == 0:  # a finding of its own: constant_channels
        return
    share = float((np.ptp(flat, axis=1) == 0).mean())
    every = max(1, flat[:COUNTED_IMAGES].size // COUNTED_PIXELS) | 1  # odd, so that all channels are counted
    values, counts = np.unique(flat[:COUNTED_IMAGES].ravel()[::every], return_counts=True)
    binary = len(values) == 2 and counts.max() > MAX_BINARY_SHARE * counts.sum()
    if share > MAX_CONSTANT_IMAGES or binary:
        shown = f"{share:.0%} of the images have the same value in all pixels"
        if binary:
            shown += f"; pixels are {values[0]:g} or {values[1]:g}, and {counts.max() / counts.sum():.1%} are equal"
        yield make_finding("images_nearly_constant", f"{shown}.", 0.95, numbers={"constant": share})


def _channels_first(x: np.ndarray, model: keras.Model) -> Iterator[Finding]:
    first = next((one for one in layers_of(model) if isinstance(one, CONVOLUTIONS)), None)
    if x.ndim != 4 or first is None or first.data_format != "channels_last":
        return
    if x.shape[1] in CHANNELS and x.shape[3] not in CHANNELS:
        yield make_finding(
            "channels_first_images",
            f"Images of shape {x.shape[1:]} have their {x.shape[1]} channels first; {first.name} takes "
            f"(height, width, channels) and convolves over {x.shape[1]}x{x.shape[2]} pixels of {x.shape[3]} channels.",
            0.95,
            first.name,
        )
