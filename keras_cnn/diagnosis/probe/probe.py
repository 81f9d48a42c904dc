"""Short trainings at several learning rates, after which all variables of the model are restored."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np

from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import Objective, logit_std, logits_of
from keras_cnn.diagnosis.probe.probability import STEPS, Start, is_hopeless, learning_probability
from keras_cnn.diagnosis.probe.rate_scale import rate_scale
from keras_cnn.diagnosis.probe.score import explained_entropy, null_score_p999
from keras_cnn.diagnosis.probe.starts import drawn_weights
from keras_cnn.diagnosis.probe.steps import Steps
from keras_cnn.diagnosis.probe.trace import EVAL_INTERVAL_STEPS, Trace
from keras_cnn.training.ema import preserve_variables

logger = logging.getLogger(__name__)

# set on seventeen generated families, benchmarks/diagnosis.py, 2026-11-25
SHORT_RUN_STEPS, MEDIUM_RUN_STEPS, LONG_RUN_STEPS = 48, 480, 1500
MIN_DETECTABLE_SCORE = 0.015  # explained entropy that counts as more than noise
# where uninformative outputs score more than that by chance: with two classes, or few images
EXTENDED_SHORT_RUN_STEPS = 4 * SHORT_RUN_STEPS
OVERFIT_IMAGES = 16
PROGRESS_INTERVAL_S = 10.0  # seconds between two log messages


class Probe:
    """The training step of a model, compiled once for all learning rates.

    Args:
        model: the model; runs leave its variables as they were.
        sample: images to train on and held-out images.
        objective: loss and optimizer.
        seconds: after which runs end, whatever they have reached; the run at the configured rate gets half of them.
        start: what the probability that the model learns is computed from beside the run; None if it is not known.
    """

    def __init__(
        self,
        model: keras.Model,
        sample: Sample,
        objective: Objective,
        seconds: float = math.inf,
        start: Start | None = None,
    ):
        self._before_training, self._logged_steps = start, -1
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
        self._steps = Steps(model, sample, objective, self._optimizer)

    @property
    def follows_schedule(self) -> bool:
        """Whether a schedule changes the learning rate of the run at the configured one."""
        return self._objective.rates is not None

    def run_own(self, steps: int, target_score: float = 1.0) -> Trace:
        """`run` at the configured learning rate, or along its schedule."""
        batches, until = self._sample.batches(steps), self._passed + (self._seconds - self._passed) / 2
        trace = self._undone(
            self._objective.rate, batches, target_score, self._own_rates(steps), until, self._is_hopeless
        )
        logger.info(
            f"after {len(trace.losses)} steps at {trace.rate:.1e}: score {trace.scores[-1]:.1%}, held-out loss "
            f"{trace.held_out[-1]:.3f} (chance {self._objective.chance:.3f})"
        )
        return replace(trace, probability=self._probability(trace))

    def _probability(self, trace: Trace) -> float:
        """The probability that the model learns; NaN where it is not known, and after a run that shows more itself."""
        if self._before_training is None or len(trace.losses) > STEPS[-1]:
            return math.nan
        return learning_probability(self._before_training, trace)

    def _is_hopeless(self, trace: Trace) -> bool:
        """Log the probability after some numbers of steps; whether the model almost surely will not learn."""
        steps = len(trace.losses)
        if self._before_training is None or steps not in STEPS:
            return False
        probability = self._probability(trace)
        if steps > self._logged_steps:
            when = f"after {steps} steps, score {trace.scores[-1]:.1%}" if steps else "before the first step"
            logger.info(f"probability that it learns at {trace.rate:.1e}: {probability:.0%} ({when})")
            self._logged_steps = steps
        return steps == STEPS[-1] and is_hopeless(probability)

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

    def run_from_other_weights(self, steps: int, target_score: float, seed: int) -> Trace | None:
        """`run_own` from new initial weights, with the images in another order.

        Args:
            steps: at most.
            target_score: as for `run`.
            seed: of weights and order.

        Returns:
            The trace; None if the model has no weights that its initializers drew.
        """
        drawn = drawn_weights(self._model, seed)
        if drawn is None:
            return None
        batches = self._sample.batches(steps, seed)
        with preserve_variables(self._model, self._model.variables):
            for kernel, value in drawn:
                kernel.assign(value)
            return self._undone(self._objective.rate, batches, target_score, self._own_rates(steps))

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
        self._steps.train(self._sample.batches(len(rates)), rates)
        return self.measure()

    def _own_rates(self, steps: int) -> np.ndarray:
        rates = self._objective.rates
        return np.full(steps, self._objective.rate) if rates is None else rates(steps)

    def measure(self) -> tuple[float, np.ndarray]:
        """(loss, outputs) of the held-out images in training mode."""
        return self._steps.measure()

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
        ends: Callable[[Trace], bool] = lambda _: False,
    ) -> Trace:
        with preserve_variables(self._model, self._model.variables):
            self._start()
            rates = np.full(len(batches), rate) if rates is None else rates
            until = min(until, self._seconds)
            return self._trace(rate, batches, target_score, rates, until, ends)

    def _trace(
        self,
        rate: float,
        batches: np.ndarray,
        target_score: float,
        rates: np.ndarray,
        until: float,
        ends: Callable[[Trace], bool],
    ) -> Trace:
        trace = self._with_measurement(Trace(rate, [], [], [], [], self.null_score_p999), [])
        for first in range(0, len(batches), EVAL_INTERVAL_STEPS):
            if ends(trace):
                break
            part = slice(first, first + EVAL_INTERVAL_STEPS)
            trace = self._with_measurement(trace, self._steps.train(batches[part], rates[part]).tolist())
            self._log_now_and_then(trace, len(batches))
            below = trace.held_out[-1] < self._objective.chance
            learned = below and min(trace.scores[-2:]) >= target_score
            if learned or self._passed > until or not math.isfinite(trace.held_out[-1]):
                break
        return trace

    def _log_now_and_then(self, trace: Trace, most: int) -> None:
        if time.perf_counter() - self._last_message > PROGRESS_INTERVAL_S:
            logger.info(
                f"probe: {len(trace.losses)} of up to {most} steps at a learning rate of {trace.rate:.1e}, score "
                f"{trace.scores[-1]:.1%}"
            )
            self._last_message = time.perf_counter()

    def _with_measurement(self, trace: Trace, losses: list[float]) -> Trace:
        """The run after more steps with these losses, and held-out images measured."""
        loss, outputs = self.measure()
        y = self._sample.y[len(self._sample) - self._sample.held_out :]
        score = explained_entropy(y, logits_of(outputs, self._activation))
        return replace(
            trace,
            losses=[*trace.losses, *losses],
            held_out=[*trace.held_out, loss],
            logit_stds=[*trace.logit_stds, logit_std(outputs, self._activation)],
            scores=[*trace.scores, score],
        )
