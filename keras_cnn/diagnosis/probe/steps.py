"""Training steps of a model and measurements on held-out images, each traced once for all learning rates."""

import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.data.gather import unconverted
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import Objective

BATCH_PIXELS = 2**20  # of held-out images that pass through the model at once


class Steps:
    """The steps of one model.

    Args:
        model: whose variables change.
        sample: images to train on and held-out images.
        objective: the loss.
        optimizer: built for the trainable variables.
    """

    def __init__(
        self, model: keras.Model, sample: Sample, objective: Objective, optimizer: keras.optimizers.Optimizer
    ):
        self._model, self._objective, self._optimizer = model, objective, optimizer
        self._held_out = sample.held_out
        self._x, self._y = tf.convert_to_tensor(sample.x), tf.convert_to_tensor(sample.y)
        eager = getattr(model, "run_eagerly", False)
        self._steps: Callable = self._train if eager else tf.function(self._train)
        self._forward: Callable = self._measure if eager else tf.function(self._measure, autograph=False)

    def train(self, batches: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """Train.

        Args:
            batches: indices of images (steps, batch).
            rates: learning rate of each step (steps,).

        Returns:
            The loss of the batch of each step before its update (steps,).
        """
        return self._steps(tf.constant(batches), tf.constant(rates, tf.float32)).numpy()

    def measure(self) -> tuple[float, np.ndarray]:
        """(loss, outputs) of the held-out images in training mode, in parts that fit into memory."""
        size, held_out = len(self._x), self._held_out
        batch = max(2, BATCH_PIXELS // max(1, math.prod(self._x.shape[1:3])))
        places = np.array_split(np.arange(size - held_out, size), -(-held_out // batch))
        losses, outputs = zip(*(self._forward(tf.constant(part)) for part in places), strict=True)
        loss = np.average([float(loss) for loss in losses], weights=[len(part) for part in places])
        return float(loss), np.concatenate([part.numpy() for part in outputs])

    def _measure(self, places):
        x, y = tf.gather(self._x, places), tf.gather(self._y, places)
        outputs = self._model(x, training=True)
        return tf.reduce_mean(self._objective.measure(y, outputs)), outputs

    def _train(self, batches, rates):
        size = len(batches) if tf.executing_eagerly() else tf.shape(batches)[0]
        losses = tf.TensorArray(tf.float32, size, element_shape=())
        for step in tf.range(tf.shape(batches)[0]):
            losses = losses.write(step, self._train_step(batches[step], rates[step]))
        return losses.stack()

    @unconverted
    def _train_step(self, places, rate):
        self._optimizer.learning_rate = rate
        x, y = tf.gather(self._x, places), tf.gather(self._y, places)
        with tf.GradientTape() as tape:
            loss = self._objective.loss(x, y, self._model(x, training=True))
            scaled = self._optimizer.scale_loss(loss)  # in float16 small gradients would be 0
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(scaled, [v.value for v in variables]), variables)
        return tf.cast(loss, tf.float32)
