"""Grad-CAM: where in an image a net sees a class (Selvaraju et al. 2017, arXiv:1610.02391, section 3)."""

from collections.abc import Callable

import keras
import tensorflow as tf

# layers that add nothing to look at: the last maps are sought before them
PASSED_OVER = (
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.Dropout,
    keras.layers.LayerNormalization,
    keras.layers.ZeroPadding2D,
)


INPUTS = (keras.layers.InputLayer, keras.layers.Rescaling, keras.layers.Normalization)


def feature_layer(model: keras.Model) -> keras.layers.Layer | None:
    """The last layer of `model` with feature maps, of more than one place and before pooling; None if it has none."""
    for layer in reversed(model.layers):
        shape = layer.output.shape
        if len(shape) == 4 and shape[1] * shape[2] > 1 and not isinstance(layer, PASSED_OVER):
            return None if isinstance(layer, INPUTS) or layer.name == "normalization" else layer
    return None


def grad_cam(model: keras.Model) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None:
    """A function for `model`, of single labels: what in an image speaks for a class. None if it has no feature maps.

    images: (B, H, W, C), as the model takes them. classes: int (B,). -> float32 (B, h, w), at least 0, in the size of
    the maps of `feature_layer`: their sum, each weighed by the mean gradient that the score before the softmax has for
    it.
    """
    layer = feature_layer(model)
    if layer is None or len(model.output_shape) != 2:
        return None
    tensors = _output_tensors(model)
    scored = keras.Model(model.input, [tensors[layer.name], model.get_layer("probabilities").input])

    def maps(images: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
        pixels = tf.cast(images, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(pixels)  # whatever follows is then recorded, frozen weights or not
            features, scores = scored(pixels, training=False)
            chosen = tf.gather(scores, classes, batch_dims=1)
        weights = tf.reduce_mean(tape.gradient(chosen, features), axis=(1, 2), keepdims=True)
        return tf.cast(tf.nn.relu(tf.reduce_sum(weights * features, axis=-1)), tf.float32)

    return maps


def _output_tensors(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """Name of each layer -> its output in the graph of `model`; of a layer of a Sequential, `output` may be another."""
    found: dict[str, keras.KerasTensor] = {}
    pending = list(model.outputs)
    while pending:
        tensor = pending.pop()
        layer, node, _ = tensor._keras_history
        if layer.name not in found:
            found[layer.name] = tensor
            pending += layer._inbound_nodes[node].input_tensors
    return found
