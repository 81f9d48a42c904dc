"""Remedies for the scale of the inputs."""

import keras
import numpy as np

from keras_cnn.diagnosis.checks.inputs import rescaling_layer
from keras_cnn.diagnosis.checks.pretrained import fitting_scale
from keras_cnn.diagnosis.remedies.context import RepairContext
from keras_cnn.diagnosis.remedies.surgery import copy_of, rebuilt


def input_normalization(context: RepairContext) -> keras.Model | None:
    """Subtract the mean and divide by the standard deviation of each channel, in a layer in front."""
    x, model = context.sample.x.astype("float64"), context.model
    axes = tuple(range(x.ndim - 1))
    mean, deviation = x.mean(axes), x.std(axes)
    scale = np.where(deviation > 0, 1 / np.maximum(deviation, 1e-12), 1.0)
    layer = keras.layers.Rescaling(
        scale.tolist(), (-mean * scale).tolist(), name="input_normalization", dtype="float32"
    )
    return context.compiled(_behind(layer, model))


def _behind(layer: keras.layers.Layer, model: keras.Model) -> keras.Model:
    """A copy of the model that receives its images through `layer`."""
    inputs = keras.Input(model.inputs[0].shape[1:], name="raw_inputs")
    return keras.Model(inputs, rebuilt(model)(layer(inputs)), name=model.name)


def remove_rescaling(context: RepairContext) -> keras.Model | None:
    """Pass images on unchanged where layers before the first kernel scale them again."""
    layer = rescaling_layer(context.model)
    if layer is None or not context.model.trainable_weights:
        return None

    def remake(one):
        return keras.layers.Identity(name=one.name) if one.name == layer.name else copy_of(one)

    return context.compiled(rebuilt(context.model, remake))


def pretrained_inputs(context: RepairContext) -> keras.Model | None:
    """Scale the images, in a layer in front, to those that a frozen base was trained on."""
    fitting = fitting_scale(context.model, context.sample)
    if fitting is None or fitting[0].reverse:
        return None
    scale, offset = (np.asarray(one, "float64").tolist() for one in (fitting[0].scale, fitting[0].offset))
    layer = keras.layers.Rescaling(scale, offset, name="pretrained_inputs", dtype="float32")
    return context.compiled(_behind(layer, context.model))
