"""A model in the layers of Keras alone, so that a file of it can be loaded without this package."""

import keras

from keras_cnn.models.layers import BatchNormalization, Conv2D, StochasticDepth

# equal in inference, with the same weights in the same order
STOCK = {
    Conv2D: keras.layers.Conv2D,
    BatchNormalization: keras.layers.BatchNormalization,
    StochasticDepth: keras.layers.Dropout,
}


def stock_model(model: keras.Model) -> keras.Model:
    """A copy of `model` with the same weights, in which layers that only train faster here are those of Keras.

    `PerImageStandardization`, `LayerScale` and `LocalResponseNormalization` have no counterpart and stay: a file with
    one of them needs `import keras_cnn.models.layers` before it is loaded.
    """
    copy = keras.models.clone_model(model, clone_function=stock_layer)
    copy.set_weights(model.get_weights())
    return copy


def stock_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A new layer of Keras with the configuration of `layer`, or of its own class where Keras has none."""
    return STOCK.get(type(layer), type(layer)).from_config(layer.get_config())
