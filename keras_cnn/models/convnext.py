"""ConvNeXt (Liu et al. 2022, https://arxiv.org/abs/2201.03545, section 2 and appendix A.1).

A residual net of depthwise 7x7 convolutions and pointwise dense layers, with layer normalization. ConvNeXt-T at
224x224x3:

    stem    conv 4x4 / 4, LayerNorm     -> 56x56x96         3 blocks
    LayerNorm, conv 2x2 / 2             -> 28x28x192        3 blocks
    LayerNorm, conv 2x2 / 2             -> 14x14x384        9 blocks
    LayerNorm, conv 2x2 / 2             -> 7x7x768          3 blocks
    mean over pixels, LayerNorm -> 768 -> classes

    block: depthwise 7x7 - LayerNorm - dense 4C - GELU - dense C - scale of 1e-6 - stochastic depth - add

28,589,128 parameters with 1,000 classes. At 32x32 a `patch_size` of 1 or 2 keeps pixels for the last stage.
"""

import keras
from keras import layers

from keras_cnn.errors import InputError
from keras_cnn.models.blocks import logits
from keras_cnn.models.layers import LayerScale, StochasticDepth

EPSILON = 1e-6
VARIANTS = {
    "convnext_tiny": ((3, 3, 9, 3), (96, 192, 384, 768)),
    "convnext_small": ((3, 3, 27, 3), (96, 192, 384, 768)),
    "convnext_base": ((3, 3, 27, 3), (128, 256, 512, 1024)),
    "convnext_large": ((3, 3, 27, 3), (192, 384, 768, 1536)),
    "convnext_xlarge": ((3, 3, 27, 3), (256, 512, 1024, 2048)),
}


def convnext(
    x: keras.KerasTensor,
    *,
    classes: int,
    style: dict,
    stages: int = 3,
    depth: int = 2,
    width: int = 32,
    growth: float = 2.0,
    patch_size: int = 2,
    drop_path_rate: float = 0.0,
) -> keras.KerasTensor:
    """Tunable ConvNeXt: (B, H, W, C) images -> (B, classes) logits.

    stages: each halves the image but the first. depth: blocks of each. width: channels of the first; each stage has
    `growth` times the channels of the one before, rounded. patch_size: side and stride of the stem. drop_path_rate: of
    the last block, rising linearly from 0 at the first, in [0, 1). style: activation and kernel_initializer of all
    layers; `dropout` is applied before the classifier, and `batch_norm` has no meaning in a net of layer normalization.
    """
    dims = [max(1, round(width * growth**stage)) for stage in range(stages)]
    return _stack(x, [depth] * stages, dims, patch_size, drop_path_rate, classes, style)


def published_convnext(
    x: keras.KerasTensor,
    *,
    classes: int,
    style: dict,
    variant: str,
    patch_size: int = 4,
    drop_path_rate: float = 0.0,
) -> keras.KerasTensor:
    """ConvNeXt-T, S, B, L or XL (`variant`); a smaller `patch_size` makes small images fit."""
    return _stack(x, *VARIANTS[variant], patch_size, drop_path_rate, classes, style)


def _stack(x, depths, dims, patch_size, drop_path_rate, classes, style) -> keras.KerasTensor:
    _check_size(x.shape, len(dims), patch_size)
    rates = iter(drop_path_rate * block / max(1, sum(depths) - 1) for block in range(sum(depths)))
    for stage, (depth, width) in enumerate(zip(depths, dims, strict=True), start=1):
        x = _downsample(x, width, 2 if stage > 1 else patch_size, stage, style)
        for index in range(1, depth + 1):
            x = convnext_block(x, rate=next(rates), name=f"stage{stage}_block{index}", style=style)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.LayerNormalization(epsilon=EPSILON, name="norm")(x)
    x = layers.Dropout(style["dropout"], name="drop")(x) if style["dropout"] else x
    return logits(x, classes)


def convnext_block(x: keras.KerasTensor, *, rate: float, name: str, style: dict) -> keras.KerasTensor:
    """(B, H, W, C) -> (B, H, W, C), residual. rate: of stochastic depth."""
    width, initializer = x.shape[-1], style["kernel_initializer"]
    y = layers.DepthwiseConv2D(
        7, padding="same", depthwise_initializer=initializer, name=f"{name}_depthwise"
    )(x)
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm")(y)
    y = layers.Dense(4 * width, kernel_initializer=initializer, name=f"{name}_expand")(y)
    y = layers.Activation(style["activation"], name=f"{name}_act")(y)
    y = layers.Dense(width, kernel_initializer=initializer, name=f"{name}_reduce")(y)
    y = LayerScale(name=f"{name}_scale")(y)
    y = StochasticDepth(rate, name=f"{name}_drop_path")(y) if rate else y
    return layers.Add(name=f"{name}_add")([x, y])


def _downsample(x, width: int, stride: int, stage: int, style: dict) -> keras.KerasTensor:
    """The stem, normalized after its convolution, or the step between two stages, normalized before."""
    norm = layers.LayerNormalization(epsilon=EPSILON, name=f"stage{stage}_norm")
    convolution = layers.Conv2D(
        width,
        stride,
        stride,
        kernel_initializer=style["kernel_initializer"],
        name=f"stage{stage}_conv",
    )
    return norm(convolution(x)) if stage == 1 else convolution(norm(x))


def _check_size(shape, stages: int, patch_size: int) -> None:
    least = patch_size * 2 ** (stages - 1)
    if min(shape[1:3]) < least:
        raise InputError(
            f"images of {shape[1]}x{shape[2]} are too small for {stages} stages after a stem of {patch_size}: the "
            f"shorter side must be at least {least}. Take a smaller --options.patch_size or a larger --image_size."
        )
