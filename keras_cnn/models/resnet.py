"""ResNet (He et al. 2015, https://arxiv.org/abs/1512.03385), for ImageNet as published, and for small images, tunable.

Each block adds what its convolutions compute to its input. Table 1 of the paper, at 224x224x3:

    stem    conv 64, 7x7 / 2        -> 112x112x64   max pool 3x3 / 2 -> 56x56x64
                                       ResNet-18   ResNet-34   ResNet-50
    stage1  basic 64 / bottleneck 256  2           3           3          -> 56x56
    stage2  128 / 512                  2           4           4          -> 28x28
    stage3  256 / 1024                 2           6           6          -> 14x14
    stage4  512 / 2048                 2           3           3          -> 7x7
    mean over pixels -> classes

    basic block:      conv 3x3 C / s - conv 3x3 C - add
    bottleneck block: conv 1x1 C / s - conv 3x3 C - conv 1x1 4C - add

Trainable parameters with 1,000 classes: 11,689,512, 21,797,672 and 25,557,032; convolutions have no bias, which batch
normalization would subtract. Section 4.2 has the form for 32x32: a stem 3x3 of 16, three stages of n basic blocks of
16, 32, 64, and shortcuts without parameters; n = 3 is ResNet-20, of 269,722 trainable parameters with 10 classes.
"""

import keras
from keras import layers

from keras_cnn.errors import InputError
from keras_cnn.models.blocks import check_side, conv_block, pooled_logits

EPSILON = 1.001e-5  # that of keras.applications
LARGE, SMALLEST = 64, 8  # pixels: from the first on the stem is that of ImageNet, of stride 4
FILTERS = (64, 128, 256, 512)
# blocks of each stage, and whether they are bottlenecks
VARIANTS = {
    "resnet18": ((2, 2, 2, 2), False),
    "resnet34": ((3, 4, 6, 3), False),
    "resnet50": ((3, 4, 6, 3), True),
}


def resnet(
    x: keras.KerasTensor,
    *,
    classes: int,
    style: dict,
    stages: int = 3,
    depth: int = 3,
    width: int = 16,
    growth: float = 2.0,
) -> keras.KerasTensor:
    """Tunable ResNet for small images, by default ResNet-20: (B, H, W, C) images -> (B, classes) logits.

    stages: each halves the image but the first. depth: basic blocks of each. width: channels of the first; each stage
    has `growth` times the channels of the one before, rounded. style: the arguments all blocks share; `dropout` is
    applied before the classifier.
    """
    _check_stages(x.shape, stages)
    block = _block_arguments(style)
    filters = [max(1, round(width * growth**stage)) for stage in range(stages)]
    x = conv_block(x, filters[0], name="stem", **block)
    for stage, channels in enumerate(filters, start=1):
        for index in range(1, depth + 1):
            strides = 2 if stage > 1 and index == 1 else 1
            name = f"stage{stage}_block{index}"
            x = _add(_pad_shortcut, _basic, x, channels, channels, strides, name, block)
    return pooled_logits(x, classes, style["dropout"])


def published_resnet(x: keras.KerasTensor, *, classes: int, style: dict, variant: str) -> keras.KerasTensor:
    """ResNet-18, 34 or 50 (`variant`). Below 64 pixels the stem is a 3x3 convolution of stride 1, without a pool."""
    side = check_side(x, variant, SMALLEST)
    depths, bottleneck = VARIANTS[variant]
    block = _block_arguments(style)
    x = _large_stem(x, block) if side >= LARGE else conv_block(x, FILTERS[0], name="stem", **block)
    residual, expansion = (_bottleneck, 4) if bottleneck else (_basic, 1)
    for stage, (depth, filters) in enumerate(zip(depths, FILTERS, strict=True), start=1):
        for index in range(1, depth + 1):
            strides = 2 if stage > 1 and index == 1 else 1
            name = f"stage{stage}_block{index}"
            x = _add(_project_shortcut, residual, x, filters, expansion * filters, strides, name, block)
    return pooled_logits(x, classes, style["dropout"])


def _block_arguments(style: dict) -> dict:
    return {**style, "dropout": 0.0, "use_bias": not style["batch_norm"], "epsilon": EPSILON}


def _large_stem(x: keras.KerasTensor, block: dict) -> keras.KerasTensor:
    """(B, H, W, C) -> (B, H / 4, W / 4, 64)."""
    x = layers.ZeroPadding2D(3, name="stem_pad")(x)
    x = conv_block(x, FILTERS[0], 7, strides=2, padding="valid", name="stem", **block)
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    return layers.MaxPooling2D(3, 2, name="stem_pool")(x)


def _add(shortcut, residual, x, filters: int, channels: int, strides: int, name: str, block: dict):
    """A block: (B, H, W, C) -> (B, H / strides, W / strides, channels)."""
    y = x if strides == 1 and x.shape[-1] == channels else shortcut(x, channels, strides, name, block)
    x = layers.Add(name=f"{name}_add")([y, residual(x, filters, strides, name, block)])
    return layers.Activation(block["activation"], name=f"{name}_act")(x)


def _basic(x, filters: int, strides: int, name: str, block: dict) -> keras.KerasTensor:
    if (
        strides > 1
    ):  # a pixel on each side, so that the outputs are centered where the shortcut takes its pixels
        x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    padding = "same" if strides == 1 else "valid"
    x = conv_block(x, filters, strides=strides, padding=padding, name=name, index=1, **block)
    return conv_block(x, filters, name=name, index=2, **block | {"activation": None})


def _bottleneck(x, filters: int, strides: int, name: str, block: dict) -> keras.KerasTensor:
    x = conv_block(x, filters, 1, strides=strides, name=name, index=1, **block)
    x = conv_block(x, filters, name=name, index=2, **block)
    return conv_block(x, 4 * filters, 1, name=name, index=3, **block | {"activation": None})


def _project_shortcut(x, channels: int, strides: int, name: str, block: dict) -> keras.KerasTensor:
    """Option B of section 3.3."""
    return conv_block(
        x, channels, 1, strides=strides, name=f"{name}_shortcut", **block | {"activation": None}
    )


def _pad_shortcut(x, channels: int, strides: int, name: str, block: dict) -> keras.KerasTensor:
    """Option A of section 3.3: every second pixel, with channels of zeros; a projection where channels get fewer."""
    more = channels - x.shape[-1]
    if more < 0:
        return _project_shortcut(x, channels, strides, name, block)
    x = layers.MaxPooling2D(1, strides, name=f"{name}_shortcut_pool")(x)
    # Keras pads the last two axes of what it takes for channels first: here width, by nothing, and channels
    margins = ((0, 0), (more // 2, more - more // 2))
    return layers.ZeroPadding2D(margins, data_format="channels_first", name=f"{name}_shortcut_pad")(x)


def _check_stages(shape, stages: int) -> None:
    least = 2 ** (stages - 1)
    if min(shape[1:3]) < least:
        raise InputError(
            f"images of {shape[1]}x{shape[2]} are too small for {stages} stages, each of which but the first halves "
            f"them: the shorter side must be at least {least}. Take fewer --options.stages or a larger --image_size."
        )
