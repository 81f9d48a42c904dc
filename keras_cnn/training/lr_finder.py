"""The learning-rate range test (Smith 2017, arXiv:1506.01186, section 3.3): which rates can a net be trained at?

The rate rises geometrically from step to step; the loss is first constant, then falls, then rises again.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.data.dataset import ImageData
from keras_cnn.errors import InputError
from keras_cnn.task import TASKS
from keras_cnn.training.compile import loss_of, make_optimizer
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.ema import preserve_variables
from keras_cnn.training.evaluate import window_of
from keras_cnn.training.make_model import make_model, own_loss
from keras_cnn.training.train import batches_of

LOW, HIGH, STEPS_PER_DECADE = 1e-6, 10.0, 30
STEPS = 7 * STEPS_PER_DECADE
SECONDS = 20.0  # as long as a user waits for a rate
MIN_STEPS = 42  # six a decade; fewer do not show where the loss turns
TIMED_STEPS = 3  # after which the time of a step is known; the first one builds the graph
SMOOTHING = 0.9  # of the moving average over the losses, at thirty steps a decade
SLACK = 0.01  # of the fall of the loss; more finds slightly better rates, and now and then one far too large
HOPELESS = 2.0  # times the loss before the first step: the test ends there


@dataclass(frozen=True)
class RangeTest:
    """rates: tried, rising. losses: of the batch at each, in nats, before its step. smoothed: their centered mean.
    suggested: a rate to train at, the peak of a schedule; None if the loss never fell."""

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggested: float | None


def find_learning_rate(
    model: keras.Model,
    batches: tf.data.Dataset,
    optimizer: Callable[[float], keras.optimizers.Optimizer],
    loss: Callable,
    *,
    low: float = LOW,
    high: float = HIGH,
    steps: int = STEPS,
    seconds: float = SECONDS,
) -> RangeTest:
    """Train `model` for at most `steps` steps with rates rising from `low` to `high`, and restore it.

    Ends early where the loss is no longer finite or twice what it was.

    Args:
        model: built under the strategy of which it is to be trained; weights, random states and its own optimizer are
            the same afterwards, bit for bit.
        batches: at least `steps` of them, in global batches.
        optimizer: makes one for a learning rate.
        loss: per image, of labels and outputs.
        low: the first learning rate.
        high: the last one.
        steps: at most, 10 or more.
        seconds: fewer steps are made where `steps` of them would take longer, but not fewer than 42.

    Raises:
        ValueError: unless 0 < low < high and steps >= 10.
    """
    if not 0 < low < high or steps < 10:
        raise ValueError(f"{low=}, {high=}, {steps=}: 0 < low < high and steps >= 10 are needed")
    record = _RisingRate(low, high, steps, seconds)
    with preserve_variables(model, model.variables):
        with model.distribute_strategy.scope():
            probe = keras.Model(model.inputs, model.outputs)  # the same layers under another optimizer
            probe.compile(optimizer(low), loss)
        probe.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[record])
    decades = math.log10(high / low)
    smoothed = smooth(record.losses, SMOOTHING ** (STEPS_PER_DECADE * decades / record.steps))
    rates = record.rates[: len(record.losses)]
    return RangeTest(rates, record.losses, smoothed, suggest(rates, smoothed))


def range_test(
    settings: TrainSettings, data: ImageData, strategy: tf.distribute.Strategy, **limits
) -> RangeTest:
    """`find_learning_rate` for the net that `settings` describe, fresh from its initializer, on their batches.

    limits: `low`, `high`, `steps` and `seconds`, as there.
    """
    keras.utils.set_random_seed(settings.seed)
    model, batch_size, steps = make_model(settings, data, strategy)
    if own_loss(model, settings):
        raise InputError(
            f"{settings.architecture} is compiled already: the range test compiles with the loss and optimizer of the "
            "settings, so return the model uncompiled."
        )
    epochs = math.ceil(limits.get("steps", STEPS) / steps)
    batches = batches_of(settings, data.train, data.facts, batch_size, window_of(model), epochs=epochs)
    return find_learning_rate(
        model, batches, partial(make_optimizer, settings), loss_of(settings, TASKS[data.facts.task]), **limits
    )


class _RisingRate(keras.callbacks.Callback):
    """Raises the learning rate geometrically from step to step; the loss of every batch, until it is hopeless."""

    def __init__(self, low: float, high: float, steps: int, seconds: float):
        super().__init__()
        self.rates: list[float] = []
        self.losses: list[float] = []
        self._low, self._ratio, self.steps, self._seconds = low, high / low, steps, seconds
        self._times = [perf_counter()]

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # or `loss` would be the mean since the start
        if batch == TIMED_STEPS:
            self.steps = self._affordable()
        self.rates.append(self._low * self._ratio ** (batch / (self.steps - 1)))
        self.model.optimizer.learning_rate = self.rates[-1]

    def on_train_batch_end(self, batch, logs=None):
        self._times.append(perf_counter())
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            self.model.stop_training = True
            return
        self.losses.append(loss)
        hopeless = np.mean(self.losses[-3:]) > HOPELESS * np.mean(self.losses[:10])
        if hopeless or batch == self.steps - 1:
            self.model.stop_training = True

    def _affordable(self) -> int:
        start, first, *_, last = self._times
        left = (self._seconds - (last - start)) / ((last - first) / (len(self._times) - 2))
        return min(self.steps, max(MIN_STEPS, TIMED_STEPS + int(left)))


def smooth(losses: list[float], smoothing: float = SMOOTHING) -> list[float]:
    """An exponential moving average run forwards and backwards, so that it lags behind neither way.

    smoothing: what the weight of a loss is multiplied by at each step.
    """

    def run(values: np.ndarray) -> np.ndarray:
        found, mean, weight = [], 0.0, 0.0
        for value in values:
            mean, weight = smoothing * mean + (1 - smoothing) * value, smoothing * weight + 1 - smoothing
            found.append(mean / weight)
        return np.array(found)

    values = np.array(losses)
    return ((run(values) + run(values[::-1])[::-1]) / 2).tolist()


def suggest(rates: list[float], smoothed: list[float]) -> float | None:
    """The largest rate at which the loss is as low as it gets, but for `SLACK` of its fall; None if it never fell.

    A schedule stays but shortly at its peak, which may therefore lie at the edge; a tenth of it or the steepest fall,
    the usual advice for a constant rate, was 5 to 80 times too low (`benchmarks/lr_find.py`).
    """
    start, lowest = smoothed[0], min(smoothed)
    if lowest == start:
        return None
    good = [
        rate for rate, loss in zip(rates, smoothed, strict=True) if loss <= lowest + SLACK * (start - lowest)
    ]
    return good[-1]
