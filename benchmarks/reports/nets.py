"""The nets that reports share, each as small as shows the mistake."""

import keras
from keras import layers


def convnet(
    shape: tuple[int, ...] = (32, 32, 3), classes: int = 10, final: str | None = "softmax", **options
) -> keras.Sequential:
    """Three convolutions and two dense layers, not compiled; `options` go to all layers but the last."""
    keras.utils.set_random_seed(0)
    given = {"activation": "relu"} | options
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(16, 3, padding="same", **given),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", **given),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", **given),
            layers.Flatten(),
            layers.Dense(64, **given),
            layers.Dense(classes, activation=final),
        ]
    )


def compiled(
    model: keras.Model, loss="sparse_categorical_crossentropy", optimizer="adam", **options
) -> keras.Model:
    model.compile(optimizer, loss, metrics=["accuracy"], **options)
    return model


def segmenter(
    shape: tuple[int, ...] = (32, 32, 1), classes: int = 1, final: str | None = "sigmoid"
) -> keras.Model:
    """An encoder and decoder of two resolutions with one skip connection, not compiled."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    fine = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(layers.MaxPooling2D()(fine))
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.Concatenate()([fine, layers.UpSampling2D()(x)])
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(classes, 1, activation=final)(x))


def residual_net(
    shape: tuple[int, ...] = (32, 32, 3), classes: int = 10, final: str = "softmax"
) -> keras.Model:
    """Three residual blocks with batch normalization and global average pooling, not compiled."""
    inputs = keras.Input(shape)
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    for width in (16, 32, 64):
        stride = 1 if width == 16 else 2
        kept = x if width == 16 else layers.Conv2D(width, 1, 2, use_bias=False)(x)
        x = layers.Conv2D(width, 3, stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.BatchNormalization(momentum=0.9)(
            layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        )
        x = layers.ReLU()(layers.Add()([kept, x]))
    return keras.Model(inputs, layers.Dense(classes, activation=final)(layers.GlobalAveragePooling2D()(x)))


def unet(
    shape: tuple[int, ...] = (32, 32, 1), classes: int = 1, final: str = "sigmoid", width: int = 8, **options
) -> keras.Model:
    """A U-Net of three resolutions with transposed convolutions, not compiled; `options` go to its convolutions."""

    def twice(x, filters):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", **options)(x)
        return x

    inputs = keras.Input(shape)
    fine = twice(inputs, width)
    middle = twice(layers.MaxPooling2D()(fine), 2 * width)
    x = twice(layers.MaxPooling2D()(middle), 4 * width)
    x = layers.Conv2DTranspose(2 * width, 2, 2)(x)
    x = twice(layers.Concatenate()([middle, x]), 2 * width)
    x = layers.Conv2DTranspose(width, 2, 2)(x)
    x = twice(layers.Concatenate()([fine, x]), width)
    return keras.Model(inputs, layers.Conv2D(classes, 1, activation=final)(x))
