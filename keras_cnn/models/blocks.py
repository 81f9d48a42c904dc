"""The blocks of every architecture: tensor in, tensor out, with stable layer names.

`activation`, `kernel_initializer`, `batch_norm` and `dropout` mean the same in each of them. Initializers are passed as
names, because one unseeded initializer *instance* draws the same numbers at each use.
"""

import keras
from keras import layers

from keras_cnn.errors import InputError
from keras_cnn.models.layers import BatchNormalization, Conv2D


def conv_block(
    x: keras.KerasTensor,
    filters: int,
    kernel_size: int = 3,
    *,
    strides: int = 1,
    padding: str = "same",
    groups: int = 1,
    use_bias: bool = True,
    activation: str | None = "relu",
    kernel_initializer: str = "he_normal",
    batch_norm: bool = False,
    epsilon: float = 1e-3,
    dropout: float = 0.0,
    name: str = "block1",
    index: int = 1,
) -> keras.KerasTensor:
    """Convolution, optional batch normalization, activation, optional dropout.

    Args:
        x: (B, H, W, C).
        filters: number of output channels.
        kernel_size: side of the kernel, in pixels.
        strides: of the convolution.
        padding: `same` or `valid`.
        groups: number of groups that the channels are split into.
        use_bias: whether the convolution adds a bias.
        activation: name of a Keras activation; None for no layer of it, as before a residual sum.
        kernel_initializer: name of a Keras initializer, such as `glorot_uniform` or `he_normal`.
        batch_norm: whether to normalize before the activation.
        epsilon: what batch normalization adds to the variance.
        dropout: rate in [0, 1).
        name: prefix of the layers `{name}_conv{index}`, `_bn{index}`, `_act{index}`, `_drop{index}`.
        index: number of the convolution in its block.

    Returns:
        (B, H, W, filters), or fewer rows and columns by `strides` and `padding`.
    """
    x = Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        groups=groups,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        name=f"{name}_conv{index}",
    )(x)
    if batch_norm:
        x = BatchNormalization(epsilon=epsilon, name=f"{name}_bn{index}")(x)
    if activation is not None:
        x = layers.Activation(activation, name=f"{name}_act{index}")(x)
    return layers.Dropout(dropout, name=f"{name}_drop{index}")(x) if dropout else x


def vgg_block(
    x: keras.KerasTensor,
    filters: int,
    convolutions: int,
    *,
    last_kernel_size: int = 3,
    activation: str = "relu",
    kernel_initializer: str = "he_normal",
    batch_norm: bool = False,
    dropout: float = 0.0,
    name: str = "block1",
) -> keras.KerasTensor:
    """3x3 convolutions, then 2x2 max pooling (Simonyan & Zisserman 2014, arXiv:1409.1556, section 2.1).

    Args:
        x: (B, H, W, C).
        filters: number of output channels of every convolution.
        convolutions: how many of them.
        last_kernel_size: side of the last convolution's kernel; 1 in configuration C of the paper.
        activation: name of a Keras activation.
        kernel_initializer: name of a Keras initializer.
        batch_norm: whether to normalize before each activation.
        dropout: rate in [0, 1) after the pooling.
        name: prefix of the layers `{name}_conv1`, ..., `{name}_pool`, `{name}_drop`.

    Returns:
        (B, H // 2, W // 2, filters).
    """
    for index in range(1, convolutions + 1):
        x = conv_block(
            x,
            filters,
            last_kernel_size if index == convolutions else 3,
            activation=activation,
            kernel_initializer=kernel_initializer,
            batch_norm=batch_norm,
            name=name,
            index=index,
        )
    x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    return layers.Dropout(dropout, name=f"{name}_drop")(x) if dropout else x


def dense_block(
    x: keras.KerasTensor,
    units: int,
    *,
    activation: str = "relu",
    kernel_initializer: str = "he_normal",
    batch_norm: bool = False,
    dropout: float = 0.0,
    name: str = "fc1",
) -> keras.KerasTensor:
    """Dense layer, optional batch normalization, activation, optional dropout.

    Args:
        x: (B, N).
        units: number of outputs.
        activation: name of a Keras activation.
        kernel_initializer: name of a Keras initializer.
        batch_norm: whether to normalize before the activation.
        dropout: rate in [0, 1).
        name: of the dense layer; the others are `{name}_bn`, `{name}_act`, `{name}_drop`.

    Returns:
        (B, units).
    """
    x = layers.Dense(units, kernel_initializer=kernel_initializer, name=name)(x)
    if batch_norm:
        x = BatchNormalization(name=f"{name}_bn")(x)
    x = layers.Activation(activation, name=f"{name}_act")(x)
    return layers.Dropout(dropout, name=f"{name}_drop")(x) if dropout else x


def logits(x: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """The last layer, `predictions`: (B, N) -> (B, classes), in float32.

    Its initializer is Glorot whatever the hidden layers use, because a softmax follows and no rectifier.
    """
    return layers.Dense(classes, dtype="float32", name="predictions")(x)


def pooled_logits(x: keras.KerasTensor, classes: int, dropout: float) -> keras.KerasTensor:
    """The mean over the pixels, dropout if its rate is not 0, and `logits`: (B, H, W, C) -> (B, classes)."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="drop")(x) if dropout else x
    return logits(x, classes)


def check_side(x: keras.KerasTensor, architecture: str, smallest: int) -> int:
    """The shorter side of images (B, H, W, C), in pixels; InputError if it is below `smallest`."""
    height, width = x.shape[1:3]
    if min(height, width) < smallest:
        raise InputError(
            f"images of {height}x{width} are too small for {architecture}: the shorter side must be at least "
            f"{smallest}. Take a larger --image_size."
        )
    return min(height, width)
