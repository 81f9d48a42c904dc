"""Short trainings at several learning rates, after which all variables of the model are restored."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.data.gather import unconverted
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import Objective, logit_std, logits_of
from keras_cnn.diagnosis.probe.rate_scale import rate_scale
from keras_cnn.diagnosis.probe.score import explained_entropy, null_score_p999
from keras_cnn.training.ema import preserve_variables

logger = logging.getLogger(__name__)

# set on seventeen generated families, benchmarks/diagnosis.py, 2026-11-25
SHORT_RUN_STEPS, MEDIUM_RUN_STEPS, LONG_RUN_STEPS = 48, 480, 1500
MIN_DETECTABLE_SCORE = 0.015  # explained entropy that counts as more than noise
# where uninformative outputs score more than that by chance: with two classes, or few images
EXTENDED_SHORT_RUN_STEPS = 4 * SHORT_RUN_STEPS
EVAL_INTERVAL_STEPS = 12  # steps between two measurements on held-out images
OVERFIT_IMAGES = 16
BATCH_PIXELS = 2**20  # of held-out images that pass through the model at once
PROGRESS_INTERVAL_S = 10.0  # seconds between two log messages


@dataclass(frozen=True)
class Trace:
    """One training run, measured on held-out images before the first step and after every 12.

    Held-out images pass through the model in training mode, so that batch normalization uses their own statistics.

    Args:
        rate: its learning rate.
        losses: of the batch of each step, before the update, in nats.
        held_out: loss of the held-out images at each measurement, in nats.
        logit_stds: standard deviation of the logits over held-out images at each measurement.
        scores: explained entropy of their labels at each measurement, in [0, 1].
        null_score_p999: 99.9th percentile of the score of uninformative outputs.
    """

    rate: float
    losses: list[float]
    held_out: list[float]
    logit_stds: list[float]
    scores: list[float]
    null_score_p999: float = 0.0

    @property
    def finite(self) -> bool:
        """Whether all losses and scores are."""
        return bool(np.isfinite([*self.losses, *self.held_out, *self.scores]).all())


class Probe:
    """The training step of a model, compiled once for all learning rates.

    Args:
        model: the model; runs leave its variables as they were.
        sample: images to train on and held-out images.
        objective: loss and optimizer.
        seconds: after which runs end, whatever they have reached; the run at the configured rate gets half of them.
    """

    def __init__(
        self,
        model: keras.Model,
        sample: Sample,
        objective: Objective,
        seconds: float = math.inf,
    ):
        self._seconds, self._started = seconds, time.perf_counter()
        self._last_message = time.perf_counter()
        self._model, self._sample, self._objective = model, sample, objective
        self._activation = objective.activation
        self._optimizer = objective.optimizer()
        self._optimizer.build(model.trainable_variables)
        self.scale = rate_scale(self._optimizer)
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
        self._forward: Callable = self._measure if eager else tf.function(self._measure, autograph=False)

    @property
    def follows_schedule(self) -> bool:
        """Whether a schedule changes the learning rate of the run at the configured one."""
        return self._objective.rates is not None

    def run_own(self, steps: int, target_score: float = 1.0) -> Trace:
        """`run` at the configured learning rate, or along its schedule."""
        batches, until = self._sample.batches(steps), self._passed + (self._seconds - self._passed) / 2
        trace = self._undone(self._objective.rate, batches, target_score, self._own_rates(steps), until)
        logger.info(
            f"after {len(trace.losses)} steps at {trace.rate:.1e}: score {trace.scores[-1]:.1%}, held-out loss "
            f"{trace.held_out[-1]:.3f} (chance {self._objective.chance:.3f})"
        )
        return trace

    @property
    def _passed(self) -> float:
        return time.perf_counter() - self._started

    @property
    def expired(self) -> bool:
        """Whether the time is over."""
        return self._passed > self._seconds

    def run(self, rate: float, steps: int | None = None, target_score: float = 1.0) -> Trace:
        """Train, measure, and restore the variables.

        Args:
            rate: learning rate.
            steps: at most; 48 if None, or 192 where uninformative outputs score high by chance.
            target_score: the run ends when two scores in a row reach it and the held-out loss is below chance.

        Returns:
            The trace of the run.
        """
        return self._undone(rate, self._sample.batches(steps or self.short), target_score)

    def overfit(self, rate: float, steps: int = SHORT_RUN_STEPS) -> Trace:
        """The same on one batch of 16 images, which a model of sufficient capacity overfits."""
        count = min(OVERFIT_IMAGES, len(self._sample))
        return self._undone(rate, np.tile(np.arange(count), (steps, 1)), 1.0)

    def train(self, rate: float, steps: int) -> tuple[float, np.ndarray]:
        """Train without restoring; (loss, outputs) of the held-out images afterwards, in training mode."""
        return self._train_along(np.full(steps, rate))

    def train_own(self, steps: int) -> tuple[float, np.ndarray]:
        """`train` at the configured learning rate, or along its schedule."""
        return self._train_along(self._own_rates(steps))

    def _train_along(self, rates: np.ndarray) -> tuple[float, np.ndarray]:
        self._start()
        self._steps(tf.constant(self._sample.batches(len(rates))), tf.constant(rates, tf.float32))
        return self.measure()

    def _own_rates(self, steps: int) -> np.ndarray:
        rates = self._objective.rates
        return np.full(steps, self._objective.rate) if rates is None else rates(steps)

    def measure(self) -> tuple[float, np.ndarray]:
        """(loss, outputs) of the held-out images in training mode, in parts that fit into memory."""
        size, held_out = len(self._sample), self._sample.held_out
        batch = max(2, BATCH_PIXELS // max(1, math.prod(self._sample.x.shape[1:3])))
        places = np.array_split(np.arange(size - held_out, size), -(-held_out // batch))
        losses, outputs = zip(*(self._forward(tf.constant(part)) for part in places), strict=True)
        loss = np.average([float(loss) for loss in losses], weights=[len(part) for part in places])
        return float(loss), np.concatenate([part.numpy() for part in outputs])

    def _start(self) -> None:
        for variable, value in zip(self._optimizer.variables, self._clean, strict=True):
            variable.assign(value)

    def _undone(
        self,
        rate: float,
        batches: np.ndarray,
        target_score: float,
        rates: np.ndarray | None = None,
        until: float = math.inf,
    ) -> Trace:
        with preserve_variables(self._model, self._model.variables):
            self._start()
            rates = np.full(len(batches), rate) if rates is None else rates
            return self._trace(
                rate, batches, target_score, rates.astype("float32"), min(until, self._seconds)
            )

    def _trace(
        self, rate: float, batches: np.ndarray, target_score: float, rates: np.ndarray, until: float
    ) -> Trace:
        losses: list[float] = []
        measured = [self._held_out()]
        for first in range(0, len(batches), EVAL_INTERVAL_STEPS):
            part = slice(first, first + EVAL_INTERVAL_STEPS)
            losses += self._steps(tf.constant(batches[part]), tf.constant(rates[part])).numpy().tolist()
            measured.append(self._held_out())
            if time.perf_counter() - self._last_message > PROGRESS_INTERVAL_S:
                logger.info(
                    f"probe: {len(losses)} of up to {len(batches)} steps at a learning rate of {rate:.1e}, score "
                    f"{measured[-1][2]:.1%}"
                )
                self._last_message = time.perf_counter()
            if self._passed > until:
                break
            below = measured[-1][0] < self._objective.chance
            if not math.isfinite(measured[-1][0]) or (
                below and min(score for *_, score in measured[-2:]) >= target_score
            ):
                break
        held_out, logit_stds, scores = map(list, zip(*measured, strict=True))
        return Trace(rate, losses, held_out, logit_stds, scores, self.null_score_p999)

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
