"""Find the layer whose outputs are the first that are not finite, inside the training step."""

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
    """Counts, for each layer, the training steps in which its outputs for one image were not all finite.

    Create it before the training step is traced, because its operations are part of the graph. It examines one image of
    each replica and sums over replicas.

    Args:
        model: the model; its `train_function` is reset.
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
        self._indices: dict[keras.layers.Layer, int] = {}  # in order of execution in training
        self._stack = contextlib.ExitStack()
        # thread of a replica -> layer -> sum of its outputs, in order of execution
        self._sums: dict[int, dict[keras.layers.Layer, tf.Tensor]] = {}
        self._stack.enter_context(forward_hooks([*layers, model], self._on_output))
        model.train_function = None  # so that it is traced again, with the hooks

    def close(self) -> None:
        """Remove the hooks from the model."""
        self._stack.close()
        self._model.train_function = None

    def first(self) -> str:
        """The name of the layer that was not finite in most steps, the first of several; empty if none was."""
        counts = self._counts.numpy()
        return list(self._indices)[int(counts.argmax())].name if counts.max() > 0 else ""

    def _in_training(self) -> bool:
        """Whether a replica's training step is traced, and not, for example, the inference of an output shape."""
        same_strategy = tf.distribute.get_strategy() is self._model.distribute_strategy
        return same_strategy and not tf.executing_eagerly() and not tf.distribute.in_cross_replica_context()

    def _on_output(self, layer: keras.layers.Layer, outputs: Any) -> None:
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
        sums.pop(layer, None)  # left by the inference of an output shape
        # the sum is finite if all its terms are, and costs one small operation
        sums[layer] = tf.reduce_sum(tf.cast(outputs[:1], tf.float32))

    def _count(self, sums: dict[keras.layers.Layer, tf.Tensor]) -> None:
        """Add 1 for each layer whose sum is not finite; once per step, because each update of a variable takes time."""
        graph = tf.compat.v1.get_default_graph()
        here = {layer: one for layer, one in sums.items() if one.graph is graph}
        if here:
            indices = [[self._indices.setdefault(layer, len(self._indices))] for layer in here]
            broken = tf.cast(~tf.math.is_finite(tf.stack(list(here.values()))), tf.float32)
            self._counts.assign_add(tf.scatter_nd(indices, broken, self._counts.shape))


def _keeps_finite(layer: keras.layers.Layer) -> bool:
    """Whether finite inputs always give finite outputs, so that the layer need not be watched."""
    rectifies = isinstance(layer, keras.layers.Activation) and activation_of(layer) == "relu"
    return rectifies or isinstance(layer, FINITE_LAYERS)
