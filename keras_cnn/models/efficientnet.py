"""EfficientNet-B0 (Tan & Le 2019, https://arxiv.org/abs/1905.11946, table 1).

Inverted residual blocks with squeeze-and-excitation. At 224x224x3, with the stride of the first block of each stage:

    stem    conv 32, 3x3 / 2             -> 112x112x32
    stage1  1 block of 16, 3x3           -> 112x112x16     stage5  3 blocks of 112, 5x5      -> 14x14x112
    stage2  2 blocks of 24, 3x3 / 2      -> 56x56x24       stage6  4 blocks of 192, 5x5 / 2  -> 7x7x192
    stage3  2 blocks of 40, 5x5 / 2      -> 28x28x40       stage7  1 block of 320, 3x3       -> 7x7x320
    stage4  3 blocks of 80, 3x3 / 2      -> 14x14x80       head    conv 1280, 1x1            -> 7x7x1280
    mean over pixels -> classes

5,288,548 trainable parameters with 1,000 classes, 5,330,564 with moving statistics. The paper's activation is silu, its
stochastic depth 0.2.
"""

import keras

from keras_cnn.models.blocks import check_side, conv_block, pooled_logits
from keras_cnn.models.inverted_residual import inverted_residual

LARGE, SMALLEST = 64, 16  # pixels: from the first on the stem has a stride of 2
STEM, HEAD = 32, 1280
SQUEEZE_RATIO = 0.25
# expansion, side of the depthwise kernel, channels, blocks, stride of the first
STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)


def efficientnet_b0(
    x: keras.KerasTensor, *, classes: int, style: dict, drop_path_rate: float = 0.0
) -> keras.KerasTensor:
    """(B, H, W, C) images -> (B, classes) logits.

    drop_path_rate: of the last block, rising linearly from 0 at the first, in [0, 1). style: the arguments all blocks
    share; `dropout` is applied before the classifier. Below 64 pixels the stem has a stride of 1, so that 32x32 images
    still have 2x2 pixels at the end.
    """
    side = check_side(x, "efficientnet_b0", SMALLEST)
    block = {**style, "dropout": 0.0, "use_bias": not style["batch_norm"]}
    x = conv_block(x, STEM, strides=2 if side >= LARGE else 1, name="stem", **block)
    last = sum(depth for *_, depth, _ in STAGES) - 1
    rates = iter(drop_path_rate * number / last for number in range(last + 1))
    for stage, (expansion, kernel_size, filters, depth, stride) in enumerate(STAGES, start=1):
        for index in range(1, depth + 1):
            x = inverted_residual(
                x,
                filters,
                expansion=expansion,
                kernel_size=kernel_size,
                strides=stride if index == 1 else 1,
                squeeze_ratio=SQUEEZE_RATIO,
                drop_path_rate=next(rates),
                name=f"stage{stage}_block{index}",
                style=style,
            )
    x = conv_block(x, HEAD, 1, name="head", **block)
    return pooled_logits(x, classes, style["dropout"])
