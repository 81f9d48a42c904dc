"""AlexNet (Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks", section 3).

227x227x3 (the paper's 224 does not add up to its own sizes):

    conv 96, 11x11 / 4        -> 55x55x96     LRN, max pool 3x3 / 2 -> 27x27x96
    conv 256, 5x5, 2 groups   -> 27x27x256    LRN, max pool 3x3 / 2 -> 13x13x256
    conv 384, 3x3             -> 13x13x384
    conv 384, 3x3, 2 groups   -> 13x13x384
    conv 256, 3x3, 2 groups   -> 13x13x256    max pool 3x3 / 2      -> 6x6x256
    flatten 9,216 - fc1 4,096 - fc2 4,096 - classes

60,965,224 parameters with 1,000 classes; 62,378,344 without the groups, which shared the net between two GPUs. The
form of torchvision (Krizhevsky 2014, arXiv:1404.5997) is narrower, without groups and LRN: 61,100,840 at 224x224.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import layers

from keras_cnn.models.blocks import check_side, conv_block, dense_block, logits
from keras_cnn.models.layers import LocalResponseNormalization

LARGE, SMALLEST = 67, 15  # pixels: what the 11x11 / 4 stem and three pools need, and the pools alone
POOLED = (1, 2, 5)  # convolutions followed by a pool; LRN comes before the first two pools


@dataclass(frozen=True)
class Variant:
    """filters: of the five convolutions. groups: of the second, fourth and fifth. padded: the stem, by two pixels."""

    filters: tuple[int, ...]
    groups: int
    normalized: bool
    padded: bool


VARIANTS = {
    "alexnet": Variant((96, 256, 384, 384, 256), groups=2, normalized=True, padded=False),
    "alexnet_ungrouped": Variant((96, 256, 384, 384, 256), groups=1, normalized=True, padded=False),
    "alexnet_torchvision": Variant((64, 192, 384, 256, 256), groups=1, normalized=False, padded=True),
}


def alexnet(
    x: keras.KerasTensor, *, classes: int, style: dict, variant: str, dense: Sequence[int] = (4096, 4096)
) -> keras.KerasTensor:
    """(B, H, W, C) images -> (B, classes) logits. dense: units of each hidden dense layer.

    `dropout` is applied after the dense layers only; the paper's is 0.5. Below 67 pixels the stem is a
    3x3 convolution of stride 1, so that 32x32 images still have 3x3 pixels at the end. InputError below 15 pixels.
    """
    net, side = VARIANTS[variant], check_side(x, variant, SMALLEST)
    convolution = {**style, "dropout": 0.0}
    for index, filters in enumerate(net.filters, start=1):
        name = f"block{index}"
        if index == 1 and side >= LARGE:
            x = layers.ZeroPadding2D(2, name="pad")(x) if net.padded else x
            x = conv_block(x, filters, 11, strides=4, padding="valid", name=name, **convolution)
        else:
            groups = net.groups if index in (2, 4, 5) else 1
            x = conv_block(x, filters, 5 if index == 2 else 3, groups=groups, name=name, **convolution)
        if net.normalized and index in POOLED[:2]:
            x = LocalResponseNormalization(name=f"{name}_lrn")(x)
        if index in POOLED:
            x = layers.MaxPooling2D(3, 2, name=f"{name}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    for index, units in enumerate(dense, start=1):
        x = dense_block(x, units, name=f"fc{index}", **style)
    return logits(x, classes)
