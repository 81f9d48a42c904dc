"""The learning rate that a model is compiled with, constant or along a schedule."""

import copy

import keras
import numpy as np
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

DEFAULT_RATE = 1e-3  # learning rate of Adam in Keras
SCHEDULE_STEPS = 100_000  # in which the largest learning rate of a schedule is looked for
WARMUP_STEPS = 48


def optimizer_with(own: keras.optimizers.Optimizer, **changes) -> keras.optimizers.Optimizer:
    """A new optimizer with the settings of `own`, except for `changes`; loss scaling is kept."""
    config = copy.deepcopy(own.get_config())
    settings = config["inner_optimizer"]["config"] if "inner_optimizer" in config else config
    settings.update(changes)
    return type(own).from_config(config)


def rate_of(model: keras.Model) -> float:
    """The learning rate that a model is compiled with; 1e-3, Keras's default, if it is not compiled.

    Of a schedule it is the largest.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return DEFAULT_RATE
    schedule = schedule_of(model)
    if schedule is not None:
        return float(rates_of(schedule, SCHEDULE_STEPS).max())
    return float(ops.convert_to_numpy(optimizer.learning_rate))


def schedule_of(model: keras.Model) -> LearningRateSchedule | None:
    """The learning rate schedule that a model is compiled with; None if its rate is constant."""
    optimizer = getattr(model, "optimizer", None)
    found = getattr(getattr(optimizer, "inner_optimizer", optimizer), "_learning_rate", None)
    return found if isinstance(found, LearningRateSchedule) else None


def rates_of(schedule: LearningRateSchedule, steps: int) -> np.ndarray:
    """The learning rates of steps 0 to `steps` - 1, evaluated at 500 of them and interpolated."""
    places = np.unique(np.concatenate([np.arange(100), np.geomspace(1, steps, 400).astype(int)]))
    places = places[places < steps]
    return np.interp(np.arange(steps), places, [float(schedule(int(step))) for step in places])


def compressed_rates(schedule: LearningRateSchedule, steps: int) -> np.ndarray:
    """The learning rates of a run of `steps` steps, with a warm-up that is shortened to 48 steps at most.

    A probe is much shorter than a training: with all of a usual warm-up it would end before its peak.
    """
    rates = rates_of(schedule, SCHEDULE_STEPS)
    peak = int(rates.argmax())
    if peak <= WARMUP_STEPS:
        return rates[:steps]
    warmup = np.interp(np.linspace(0, peak, WARMUP_STEPS + 1)[:-1], np.arange(peak + 1), rates[: peak + 1])
    rest = np.concatenate([rates[peak:], np.full(steps, rates[-1])])
    return np.concatenate([warmup, rest])[:steps]
