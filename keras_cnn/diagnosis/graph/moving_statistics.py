"""How well the moving statistics of batch normalization fit the images."""

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.diagnosis.graph.hooks import forward_hooks


def statistics_errors(
    model: keras.Model, layers: list[keras.layers.BatchNormalization], x: np.ndarray
) -> dict[str, float]:
    """The error of mean or scale of each layer, in standard deviations, the median over its channels.

    If moving statistics fit, the outputs of the layer have mean beta and standard deviation |gamma| in inference mode.

    Args:
        model: the model, in any state of training.
        layers: of batch normalization, called at least once by the model.
        x: images as the model takes them.

    Returns:
        Name of the layer -> its error.
    """
    errors: dict[str, float] = {}

    def on_output(layer, outputs) -> None:
        values = outputs.numpy().astype("float64").reshape(-1, outputs.shape[-1])
        gamma = np.abs(layer.gamma.numpy()) if layer.scale else np.ones(values.shape[1])
        beta = layer.beta.numpy() if layer.center else np.zeros(values.shape[1])
        gamma = np.maximum(gamma, 1e-3)
        shift = np.abs(values.mean(axis=0) - beta) / gamma
        scale = np.maximum(values.std(axis=0), 1e-6) / gamma
        errors[layer.name] = float(np.median(np.maximum(shift, np.maximum(scale, 1 / scale) - 1)))

    with forward_hooks(layers, on_output):
        model(tf.convert_to_tensor(x), training=False)
    return errors
