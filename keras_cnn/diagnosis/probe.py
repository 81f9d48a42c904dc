"""A few real training steps at several learning rates, after which the net is as it was."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.diagnosis.graph import final_activation
from keras_cnn.diagnosis.objective import Objective, spread
from keras_cnn.diagnosis.sample import Sample
from keras_cnn.training.averaging import kept

STEPS = 48
PIECES = 4  # after each of which the images held out are measured


@dataclass(frozen=True)
class Trace:
    """Training at `rate`. losses: of each step's batch, before it. held_out: loss of images that are not trained on,
    before the first step and after each quarter of the steps, in training mode, so that batch normalization takes
    their own statistics. spreads: sd of the logits over them, at the same times."""

    rate: float
    losses: list[float]
    held_out: list[float]
    spreads: list[float]

    @property
    def finite(self) -> bool:
        return bool(np.isfinite([*self.losses, *self.held_out]).all())


class Probe:
    """The training step of a net, compiled once for all rates."""

    def __init__(self, model: keras.Model, sample: Sample, objective: Objective):
        self._model, self._sample, self._objective = model, sample, objective
        self._activation = final_activation(model)[0]
        self._optimizer = objective.optimizer()
        self._optimizer.build(model.trainable_variables)
        self._clean = [variable.numpy() for variable in self._optimizer.variables]
        self._x, self._y = tf.convert_to_tensor(sample.x), tf.convert_to_tensor(sample.y)
        eager = getattr(model, "run_eagerly", False)
        self._steps: Callable = self._train if eager else tf.function(self._train)
        self._forward: Callable = self._measure if eager else tf.function(self._measure)

    def run(self, rate: float, steps: int = STEPS, batches: np.ndarray | None = None) -> Trace:
        """Train at `rate` for `steps` steps, of `batches` (steps, batch) if given; undone afterwards."""
        batches = self._sample.batches(steps) if batches is None else batches
        with kept(self._model, self._model.variables):
            self._start(rate)
            return self._trace(rate, np.array_split(batches, PIECES))

    def overfit(self, rate: float, steps: int = STEPS) -> Trace:
        """The same, always with one batch of 16 images: a net that can learn at all learns these by heart."""
        return self.run(rate, steps, np.tile(np.arange(min(16, len(self._sample))), (steps, 1)))

    def train(self, rate: float, steps: int) -> tuple[float, np.ndarray]:
        """Train for good at `rate`; (loss of the images held out, their outputs), in training mode, afterwards."""
        self._start(rate)
        self._steps(tf.constant(self._sample.batches(steps)))
        loss, outputs = self._forward()
        return float(loss), outputs.numpy()

    def _start(self, rate: float) -> None:
        for variable, value in zip(self._optimizer.variables, self._clean, strict=True):
            variable.assign(value)
        self._optimizer.learning_rate = rate

    def _trace(self, rate: float, pieces: Iterable[np.ndarray]) -> Trace:
        losses: list[float] = []
        measured = [self._held_out()]
        for piece in pieces:
            losses += self._steps(tf.constant(piece)).numpy().tolist()
            measured.append(self._held_out())
            if not math.isfinite(measured[-1][0]):
                break
        return Trace(rate, losses, [loss for loss, _ in measured], [wide for _, wide in measured])

    def _held_out(self) -> tuple[float, float]:
        loss, outputs = self._forward()
        return float(loss), spread(outputs.numpy(), self._activation)

    def _measure(self):
        first = len(self._sample) - self._sample.held_out
        x, y = self._x[first:], self._y[first:]
        outputs = self._model(x, training=True)
        return tf.reduce_mean(self._objective.measure(y, outputs)), outputs

    def _train(self, batches):
        losses = tf.TensorArray(tf.float32, len(batches) if tf.executing_eagerly() else tf.shape(batches)[0])
        for step in tf.range(tf.shape(batches)[0]):
            x, y = tf.gather(self._x, batches[step]), tf.gather(self._y, batches[step])
            with tf.GradientTape() as tape:
                loss = self._objective.loss(x, y, self._model(x, training=True))
            variables = self._model.trainable_variables
            self._optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
            losses = losses.write(step, tf.cast(loss, tf.float32))
        return losses.stack()
