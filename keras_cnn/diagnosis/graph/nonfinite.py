"""In which layer, and at which step, did numbers first cease to be finite? Watched inside the training step."""

import contextlib
import threading
from typing import Any

import keras
import tensorflow as tf

from keras_cnn.diagnosis.graph.graph import IDENTITY_LAYERS, activation_of, layers_of
from keras_cnn.diagnosis.graph.hooks import forward_hooks

FINITE_LAYERS = (
    *IDENTITY_LAYERS,
    keras.layers.InputLayer,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
)


class NonFiniteWatch:
    """Counts, for each layer, the training steps in which its outputs for the first image were not all finite.

    Made before the training step is traced, for what it looks at is part of the graph: one image of each replica, so
    that it costs next to nothing. Whatever strategy the model is under, its replicas are summed.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        layers = [layer for layer in layers_of(model) if not _keeps_finite(layer)]
        with model.distribute_strategy.scope():
            self._counts = tf.Variable(
                tf.zeros(len(layers)),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.SUM,
            )
        self._places: dict[keras.layers.Layer, int] = {}  # in the order in which they compute in training
        self._stack = contextlib.ExitStack()
        # thread of a replica -> layer -> sum of its outputs, the latest last
        self._sums: dict[int, dict[keras.layers.Layer, tf.Tensor]] = {}
        self._stack.enter_context(forward_hooks([*layers, model], self._see))
        model.train_function = None  # to be traced anew, with the watch in it

    def close(self) -> None:
        """Leave the model as it was."""
        self._stack.close()
        self._model.train_function = None

    def first(self) -> str:
        """The layer that was not finite in most steps, of equal ones the first; empty if none was."""
        counts = self._counts.numpy()
        return list(self._places)[int(counts.argmax())].name if counts.max() > 0 else ""

    def _in_training(self) -> bool:
        """Whether what is traced is a replica's training step, and not, say, a search for the shape of the outputs."""
        mine = tf.distribute.get_strategy() is self._model.distribute_strategy
        return mine and not tf.executing_eagerly() and not tf.distribute.in_cross_replica_context()

    def _see(self, layer: keras.layers.Layer, outputs: Any) -> None:
        if (
            not self._in_training()
            or not tf.is_tensor(outputs)
            or not outputs.dtype.is_floating
            or not outputs.shape.rank
        ):
            return
        sums = self._sums.setdefault(threading.get_ident(), {})
        if layer is self._model:
            self._count(sums)
            sums.clear()
            return
        sums.pop(layer, None)  # of a search for the shape of its outputs, out of turn
        # a sum is finite if all it adds up is, and costs one small operation
        sums[layer] = tf.reduce_sum(tf.cast(outputs[:1], tf.float32))

    def _count(self, sums: dict[keras.layers.Layer, tf.Tensor]) -> None:
        """Add 1 for each layer whose sum is not finite; once a step, for each update of a variable takes time."""
        graph = tf.compat.v1.get_default_graph()
        here = {layer: one for layer, one in sums.items() if one.graph is graph}
        if here:
            places = [[self._places.setdefault(layer, len(self._places))] for layer in here]
            broken = tf.cast(~tf.math.is_finite(tf.stack(list(here.values()))), tf.float32)
            self._counts.assign_add(tf.scatter_nd(places, broken, self._counts.shape))


def _keeps_finite(layer: keras.layers.Layer) -> bool:
    """Whether of finite numbers it makes only finite ones; such layers need not be watched."""
    rectifies = isinstance(layer, keras.layers.Activation) and activation_of(layer) == "relu"
    return rectifies or isinstance(layer, FINITE_LAYERS)
