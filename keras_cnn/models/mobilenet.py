"""MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381, table 2).

Inverted residual blocks: a pointwise convolution that widens, a depthwise 3x3, a pointwise one that narrows without an
activation. At 224x224x3, with the stride of the first block of each stage:

    stem    conv 32, 3x3 / 2        -> 112x112x32
    stage1  1 block of 16           -> 112x112x16      stage5  3 blocks of 96       -> 14x14x96
    stage2  2 blocks of 24 / 2      -> 56x56x24        stage6  3 blocks of 160 / 2  -> 7x7x160
    stage3  3 blocks of 32 / 2      -> 28x28x32        stage7  1 block of 320       -> 7x7x320
    stage4  4 blocks of 64 / 2      -> 14x14x64        head    conv 1280, 1x1       -> 7x7x1280
    mean over pixels -> classes

3,504,872 trainable parameters with 1,000 classes, 3,538,984 with moving statistics. The paper's activation is relu6.
"""

import keras

from keras_cnn.models.blocks import check_side, conv_block, pooled_logits
from keras_cnn.models.inverted_residual import inverted_residual

LARGE, SMALLEST = 64, 16  # pixels: from the first on the stem has a stride of 2
STEM, HEAD = 32, 1280
# expansion, channels, blocks, stride of the first
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenet_v2(x: keras.KerasTensor, *, classes: int, style: dict, alpha: float = 1.0) -> keras.KerasTensor:
    """(B, H, W, C) images -> (B, classes) logits.

    alpha: channels of all layers, as a multiple of the table's, rounded to multiples of 8; below 1 the head keeps its
    width. style: the arguments all blocks share; `dropout` is applied before the classifier. Below 64 pixels the stem
    has a stride of 1, so that 32x32 images still have 2x2 pixels at the end.
    """
    side = check_side(x, "mobilenet_v2", SMALLEST)
    block = {**style, "dropout": 0.0, "use_bias": not style["batch_norm"]}
    x = conv_block(x, _multiple_of_8(alpha * STEM), strides=2 if side >= LARGE else 1, name="stem", **block)
    for stage, (expansion, filters, depth, stride) in enumerate(STAGES, start=1):
        for index in range(1, depth + 1):
            x = inverted_residual(
                x,
                _multiple_of_8(alpha * filters),
                expansion=expansion,
                strides=stride if index == 1 else 1,
                name=f"stage{stage}_block{index}",
                style=style,
            )
    x = conv_block(x, _multiple_of_8(max(1.0, alpha) * HEAD), 1, name="head", **block)
    return pooled_logits(x, classes, style["dropout"])


def _multiple_of_8(channels: float) -> int:
    """The nearest multiple of 8, at least 8, and no less than nine tenths of `channels`."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8
