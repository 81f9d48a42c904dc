"""Layer-sequential unit variance (LSUV): Mishkin & Matas 2016, "All you need is a good init", algorithm 1."""

import contextlib
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from keras_cnn.diagnosis.graph.graph import kernels_of


def scale_to_unit_variance(model: keras.Model, layers: Sequence[keras.layers.Layer], x: tf.Tensor) -> None:
    """Divide each kernel by the standard deviation of its outputs before the activation, in one forward pass.

    Args:
        model: whose kernels are assigned.
        layers: to scale, in order of execution; layers with constant outputs are not changed.
        x: a batch of images.
    """
    with contextlib.ExitStack() as stack:
        for layer in layers:
            object.__setattr__(layer, "call", _scaled(layer, layer.call))
            stack.callback(object.__delattr__, layer, "call")
        model(x, training=True)


def _scaled(layer: keras.layers.Layer, call: Callable) -> Callable:
    def scaled(*args, **kwargs):
        activation, layer.activation = layer.activation, keras.activations.linear
        deviation = float(tf.math.reduce_std(tf.cast(call(*args, **kwargs), tf.float32)))
        layer.activation = activation
        if deviation > 0:
            kernel = kernels_of(layer)[-1]
            kernel.assign(kernel / deviation)
        return call(*args, **kwargs)

    return scaled
