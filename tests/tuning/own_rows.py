"""A user's build(hp) of tiny nets for several labels an image, and for values, with their data."""

import keras
import numpy as np

X = np.random.default_rng(0).random((120, 4, 4)).astype("float32")


def several() -> tuple[np.ndarray, np.ndarray]:
    """(x, y int64 (120, 2)): which of two corners are bright."""
    return X, (np.stack([X[:, 0, 0], X[:, 3, 3]], axis=1) > 0.5).astype(int)


def values() -> tuple[np.ndarray, np.ndarray]:
    """(x, y float (120,)): the brightness of a corner in percent."""
    return X, 100.0 * X[:, 0, 0]


def for_labels(hp) -> keras.Model:
    """Not compiled, of logits."""
    return _net(hp, 2)


def for_values(hp) -> keras.Model:
    model = _net(hp, 1)
    model.compile(
        keras.optimizers.Adam(0.1), "mse", metrics=[keras.metrics.RootMeanSquaredError(name="rmse")]
    )
    return model


def _net(hp, columns: int) -> keras.Model:
    units = keras.layers.Dense(hp.Choice("units", [2, 3, 4]), "relu")
    return keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), units, keras.layers.Dense(columns)]
    )
