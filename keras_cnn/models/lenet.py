"""LeNet-5 (LeCun et al. 1998, "Gradient-based learning applied to document recognition", section II.B).

28x28x1 images, which the paper pads to 32x32:

    conv 6, 5x5      -> 28x28x6      average pool 2x2 -> 14x14x6
    conv 16, 5x5     -> 10x10x16     average pool 2x2 -> 5x5x16
    flatten 400 - fc1 120 - fc2 84 - classes

61,706 parameters with 10 classes, as the net is drawn today: plain pools, every map connected, softmax.
"""

import keras
from keras import layers

from keras_cnn.models.blocks import check_side, conv_block, dense_block, logits

PADDED, SMALLEST = 32, 12  # pixels


def lenet5(x: keras.KerasTensor, *, classes: int, style: dict) -> keras.KerasTensor:
    """(B, H, W, C) images -> (B, classes) logits; the paper's activation is tanh, its initializer narrow.

    The first convolution pads images below 32 pixels ("same") and not those of 32 or more ("valid"), so that 28x28
    and 32x32 give the same net. Larger images make fc1 larger. InputError below 12 pixels.
    """
    side = check_side(x, "lenet5", SMALLEST)
    convolution = {**style, "dropout": 0.0}
    first = "same" if side < PADDED else "valid"
    for block, (filters, padding) in enumerate(((6, first), (16, "valid")), start=1):
        x = conv_block(x, filters, 5, padding=padding, name=f"block{block}", **convolution)
        x = layers.AveragePooling2D(2, name=f"block{block}_pool")(x)
        x = layers.Dropout(style["dropout"], name=f"block{block}_drop")(x) if style["dropout"] else x
    x = layers.Flatten(name="flatten")(x)
    for index, units in enumerate((120, 84), start=1):
        x = dense_block(x, units, name=f"fc{index}", **style)
    return logits(x, classes)
