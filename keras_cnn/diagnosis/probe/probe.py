"""A few real training steps at several learning rates, after which the net is as it was."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.diagnosis.graph.graph import final_activation
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import Objective, logit_std, logits_of
from keras_cnn.diagnosis.probe.score import explained_entropy, null_score_p999
from keras_cnn.training.ema import preserve_variables

logger = logging.getLogger(__name__)

SHORT_RUN_STEPS, MEDIUM_RUN_STEPS, LONG_RUN_STEPS = 48, 480, 1500
MIN_DETECTABLE_SCORE = 0.015  # of the entropy of the classes, told by a net that does not stand still
EXTENDED_SHORT_RUN_STEPS = (
    4 * SHORT_RUN_STEPS
)  # where luck tells more than that, of two classes or few images, and 48 do not suffice
PIXELS = 2**20  # of images held out, measured at once
PROGRESS_INTERVAL_S = 10.0  # seconds at most without a word
EVAL_INTERVAL_STEPS = 12  # steps, after each of which the images held out are measured


@dataclass(frozen=True)
class Trace:
    """Training at `rate`. losses: of each step's batch, before it. held_out: loss of images that are not trained on,
    before the first step and after every twelve, in training mode, so that batch normalization takes their own
    statistics. spreads: sd of the logits over them, at the same times. told: the share of the entropy of their classes
    that the outputs tell; by_chance: what they tell once in a thousand times if they know nothing."""

    rate: float
    losses: list[float]
    held_out: list[float]
    logit_stds: list[float]
    scores: list[float]
    null_score_p999: float = 0.0

    @property
    def finite(self) -> bool:
        return bool(np.isfinite([*self.losses, *self.held_out, *self.scores]).all())


class Probe:
    """The training step of a net, compiled once for all rates."""

    def __init__(
        self,
        model: keras.Model,
        sample: Sample,
        objective: Objective,
    ):
        self._last_message = time.perf_counter()
        self._model, self._sample, self._objective = model, sample, objective
        self._activation = final_activation(model)[0]
        self._optimizer = objective.optimizer()
        self._optimizer.build(model.trainable_variables)
        held_out = sample.y[len(sample) - sample.held_out :]
        self.null_score_p999 = null_score_p999(
            held_out, np.broadcast_to(0.0, (len(held_out), *objective.shape))
        )
        self.short = (
            SHORT_RUN_STEPS if self.null_score_p999 <= MIN_DETECTABLE_SCORE else EXTENDED_SHORT_RUN_STEPS
        )
        self._clean = [variable.numpy() for variable in self._optimizer.variables]
        self._x, self._y = tf.convert_to_tensor(sample.x), tf.convert_to_tensor(sample.y)
        eager = getattr(model, "run_eagerly", False)
        self._steps: Callable = self._train if eager else tf.function(self._train)
        self._forward: Callable = self._measure if eager else tf.function(self._measure)

    @property
    def descends(self) -> bool:
        """Whether its steps are as long as gradients are, times the rate."""
        return isinstance(getattr(self._optimizer, "inner_optimizer", self._optimizer), keras.optimizers.SGD)

    def run(self, rate: float, steps: int | None = None, target_score: float = 1.0) -> Trace:
        """Train at `rate` for `steps` steps, 48 or where luck tells much 192; undone afterwards. It ends sooner where
        outputs tell `enough` twice in a row and the loss is below chance."""
        return self._undone(rate, self._sample.batches(steps or self.short), target_score)

    def overfit(self, rate: float, steps: int = SHORT_RUN_STEPS) -> Trace:
        """The same, always with one batch of 16 images: a net that can learn at all learns these by heart."""
        return self._undone(rate, np.tile(np.arange(min(16, len(self._sample))), (steps, 1)), 1.0)

    def train(self, rate: float, steps: int) -> tuple[float, np.ndarray]:
        """Train for good at `rate`; (loss of the images held out, their outputs), in training mode, afterwards."""
        self._start(rate)
        self._steps(tf.constant(self._sample.batches(steps)))
        return self.measure()

    def measure(self) -> tuple[float, np.ndarray]:
        """(loss of the images held out, their outputs), in training mode, as many at once as memory allows."""
        size, held_out = len(self._sample), self._sample.held_out
        learns_within_short_run = max(2, PIXELS // max(1, math.prod(self._sample.x.shape[1:3])))
        places = np.array_split(np.arange(size - held_out, size), -(-held_out // learns_within_short_run))
        losses, outputs = zip(*(self._forward(tf.constant(part)) for part in places), strict=True)
        loss = np.average([float(loss) for loss in losses], weights=[len(part) for part in places])
        return float(loss), np.concatenate([part.numpy() for part in outputs])

    def _start(self, rate: float) -> None:
        for variable, value in zip(self._optimizer.variables, self._clean, strict=True):
            variable.assign(value)
        self._optimizer.learning_rate = rate

    def _undone(self, rate: float, batches: np.ndarray, target_score: float) -> Trace:
        with preserve_variables(self._model, self._model.variables):
            self._start(rate)
            return self._trace(rate, batches, target_score)

    def _trace(self, rate: float, batches: np.ndarray, target_score: float) -> Trace:
        losses: list[float] = []
        measured = [self._held_out()]
        for first in range(0, len(batches), EVAL_INTERVAL_STEPS):
            losses += self._steps(tf.constant(batches[first : first + EVAL_INTERVAL_STEPS])).numpy().tolist()
            measured.append(self._held_out())
            if time.perf_counter() - self._last_message > PROGRESS_INTERVAL_S:
                logger.info(f"probe: {len(losses)} of up to {len(batches)} steps at {rate:.1e}")
                self._last_message = time.perf_counter()
            below = measured[-1][0] < self._objective.chance
            if not math.isfinite(measured[-1][0]) or (
                below and min(tells for *_, tells in measured[-2:]) >= target_score
            ):
                break
        held_out, logit_stds, shares = map(list, zip(*measured, strict=True))
        return Trace(rate, losses, held_out, logit_stds, shares, self.null_score_p999)

    def _held_out(self) -> tuple[float, float, float]:
        loss, outputs = self.measure()
        y = self._sample.y[len(self._sample) - self._sample.held_out :]
        return (
            loss,
            logit_std(outputs, self._activation),
            explained_entropy(y, logits_of(outputs, self._activation)),
        )

    def _measure(self, places):
        x, y = tf.gather(self._x, places), tf.gather(self._y, places)
        outputs = self._model(x, training=True)
        return tf.reduce_mean(self._objective.measure(y, outputs)), outputs

    def _train(self, batches):
        size = len(batches) if tf.executing_eagerly() else tf.shape(batches)[0]
        losses = tf.TensorArray(tf.float32, size, element_shape=())
        for step in tf.range(tf.shape(batches)[0]):
            x, y = tf.gather(self._x, batches[step]), tf.gather(self._y, batches[step])
            with tf.GradientTape() as tape:
                loss = self._objective.loss(x, y, self._model(x, training=True))
                scaled = self._optimizer.scale_loss(loss)  # in half precision small gradients would be 0
            variables = self._model.trainable_variables
            self._optimizer.apply(tape.gradient(scaled, [v.value for v in variables]), variables)
            losses = losses.write(step, tf.cast(loss, tf.float32))
        return losses.stack()
