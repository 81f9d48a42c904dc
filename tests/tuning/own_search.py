"""A user's build(hp) of tiny nets on images of two classes, as a user would write it."""

import keras
import numpy as np


def images() -> tuple[np.ndarray, np.ndarray]:
    """(x float32 (200, 4, 4), y int64 (200,)): the class is whether the first pixel is bright."""
    x = np.random.default_rng(0).random((200, 4, 4)).astype("float32")
    return x, (x[:, 0, 0] > 0.5).astype("int64")


def build(hp) -> keras.Model:
    """Three widths, of which the largest has 1,218 parameters; a hyperparameter that appears where `deep` is."""
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten()]
    layers.append(keras.layers.Dense(hp.Choice("units", [4, 16, 64]), "relu"))
    if hp.Boolean("deep"):
        layers.append(keras.layers.Dense(hp.Int("second", 2, 6), "relu"))
    model = keras.Sequential([*layers, keras.layers.Dropout(0.1), keras.layers.Dense(2)])
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def scoped(hp) -> keras.Model:
    """A hyperparameter under a condition that does not hold by default; judged by its loss, for it has no metric."""
    units = 2
    hp.Choice("kind", ["small", "free"])
    with hp.conditional_scope("kind", ["free"]):
        units = hp.Int("units", 3, 5) or units
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(units)])
    model.add(keras.layers.Dense(2, "softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def uncompiled(hp) -> keras.Model:
    flat = [keras.Input((4, 4, 1)), keras.layers.Flatten()]
    return keras.Sequential([*flat, keras.layers.Dense(hp.Int("units", 2, 3)), keras.layers.Dense(2)])


def failing(hp) -> keras.Model:
    raise RuntimeError(f"no width {hp.Int('units', 2, 3)}")


def without_space(hp) -> keras.Model:
    return uncompiled(type("Fixed", (), {"Int": lambda *_: 2})())


def for_other_images(hp) -> keras.Model:
    return keras.Sequential([keras.Input((5, 5, 1)), keras.layers.Dense(hp.Int("units", 2, 3))])


def not_a_build(input_shape, classes) -> keras.Model:
    return uncompiled(None)
