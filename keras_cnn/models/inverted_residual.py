"""The inverted residual block of MobileNetV2 and EfficientNet: wide inside, narrow at both ends.

Sandler et al. 2018, https://arxiv.org/abs/1801.04381, section 3.3, with the squeeze-and-excitation of Hu et al. 2017,
https://arxiv.org/abs/1709.01507, section 3, that EfficientNet adds.
"""

import keras
from keras import layers

from keras_cnn.models.blocks import conv_block
from keras_cnn.models.layers import BatchNormalization, StochasticDepth


def inverted_residual(
    x: keras.KerasTensor,
    filters: int,
    *,
    expansion: int,
    kernel_size: int = 3,
    strides: int = 1,
    squeeze_ratio: float = 0.0,
    drop_path_rate: float = 0.0,
    name: str,
    style: dict,
) -> keras.KerasTensor:
    """Pointwise expansion, depthwise convolution, linear projection; the input is added where shapes allow.

    Args:
        x: (B, H, W, C).
        filters: number of output channels.
        expansion: channels inside, as a multiple of C; with 1 the pointwise convolution is left out.
        kernel_size: side of the depthwise kernel, in pixels.
        strides: of the depthwise convolution.
        squeeze_ratio: channels in the middle of squeeze-and-excitation, as a ratio of C; 0 leaves it out.
        drop_path_rate: of stochastic depth, in [0, 1), where the input is added.
        name: prefix of the layers.
        style: activation, kernel_initializer and batch_norm; convolutions before batch normalization have no bias.

    Returns:
        (B, H / strides, W / strides, filters).
    """
    inputs, channels = x, x.shape[-1]
    block = {**style, "dropout": 0.0, "use_bias": not style["batch_norm"]}
    if expansion > 1:
        x = conv_block(x, expansion * channels, 1, name=name, index=1, **block)
    x = _depthwise(x, kernel_size, strides, f"{name}_depthwise", style)
    if squeeze_ratio:
        x = _squeeze_and_excite(x, max(1, int(squeeze_ratio * channels)), f"{name}_squeeze", style)
    x = conv_block(x, filters, 1, name=name, index=2, **block | {"activation": None})
    if strides > 1 or channels != filters:
        return x
    x = StochasticDepth(drop_path_rate, name=f"{name}_drop_path")(x) if drop_path_rate else x
    return layers.Add(name=f"{name}_add")([inputs, x])


def _depthwise(x, kernel_size: int, strides: int, name: str, style: dict) -> keras.KerasTensor:
    x = layers.DepthwiseConv2D(
        kernel_size,
        strides,
        padding="same",
        use_bias=not style["batch_norm"],
        depthwise_initializer=style["kernel_initializer"],
        name=name,
    )(x)
    if style["batch_norm"]:
        x = BatchNormalization(name=f"{name}_bn")(x)
    return layers.Activation(style["activation"], name=f"{name}_act")(x)


def _squeeze_and_excite(x, channels: int, name: str, style: dict) -> keras.KerasTensor:
    """x times a gate in (0, 1) for each channel of each image, from the means over its pixels."""
    initializer = style["kernel_initializer"]
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)  # (B, 1, 1, C)
    gate = layers.Conv2D(channels, 1, kernel_initializer=initializer, name=f"{name}_reduce")(gate)
    gate = layers.Activation(style["activation"], name=f"{name}_act")(gate)
    gate = layers.Conv2D(x.shape[-1], 1, kernel_initializer=initializer, name=f"{name}_expand")(gate)
    gate = layers.Activation("sigmoid", name=f"{name}_gate")(gate)
    return layers.Multiply(name=f"{name}_multiply")([x, gate])
