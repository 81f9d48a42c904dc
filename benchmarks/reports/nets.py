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
