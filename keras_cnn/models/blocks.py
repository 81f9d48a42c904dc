"""The parts every architecture is built of: tensor in, tensor out, with stable layer names.

`activation`, `kernel_initializer`, `batch_norm` and `dropout` mean the same in each of them. Initializers
travel as names: one unseeded initializer *instance* draws the same numbers at each use.
"""

import keras
from keras import layers

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
    activation: str = "relu",
    kernel_initializer: str = "he_normal",
    batch_norm: bool = False,
    dropout: float = 0.0,
    name: str = "block1",
    index: int = 1,
) -> keras.KerasTensor:
    """Convolution, [batch normalization,] activation[, dropout].

    (B, H, W, C) -> (B, H, W, filters), or fewer rows and columns by `strides` and `padding`.
    Layers: `{name}_conv{index}`, `_bn`, `_act`, `_drop`.
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
        x = BatchNormalization(name=f"{name}_bn{index}")(x)
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
    """`convolutions` 3x3 conv_blocks, then a 2x2 max pool (`{name}_pool`)[, then dropout].

    (B, H, W, C) -> (B, H // 2, W // 2, filters). Simonyan & Zisserman 2014, section 2.1.
    last_kernel_size: of the last convolution; 1 in their configuration C.
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
    """Dense, [batch normalization,] activation[, dropout]: (B, N) -> (B, units). Layers `fc1`, `fc1_bn`, ..."""
    x = layers.Dense(units, kernel_initializer=kernel_initializer, name=name)(x)
    if batch_norm:
        x = BatchNormalization(name=f"{name}_bn")(x)
    x = layers.Activation(activation, name=f"{name}_act")(x)
    return layers.Dropout(dropout, name=f"{name}_drop")(x) if dropout else x


def logits(x: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """The last layer, `predictions`: (B, N) -> (B, classes), in float32.

    Glorot whatever the hidden layers use: what follows is a softmax, not a rectifier.
    """
    return layers.Dense(classes, dtype="float32", name="predictions")(x)
