"""Points of a space, as plain dicts of its active hyperparameters: drawn at random, or every one in turn."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence

import keras_tuner as kt
from keras_tuner.engine.hyperparameters import HyperParameter
from scipy.stats import qmc

MAX_ENUMERATED = 20_000  # configurations of a space that are enumerated to find an untried one


def is_active(parameter: HyperParameter, values: dict) -> bool:
    """Whether `parameter` counts where the parameters it depends on have these `values`."""
    return all(condition.is_active(values) for condition in parameter.conditions)


def coordinate(parameter: HyperParameter, values: dict) -> float:
    """Position of a configuration in the range of `parameter`, in [0, 1]; that of its default where it is inactive."""
    return parameter.value_to_prob(values.get(parameter.name, parameter.default))


def draw(space: kt.HyperParameters, key: str) -> dict:
    """A random point; the same for the same `key`, whatever was drawn before."""
    generator = random.Random(key)
    # also of what is not active, so that the others do not depend on it
    return _configuration(space, [generator.random() for _ in space.space])


def draw_spread(space: kt.HyperParameters, seed: int, number: int) -> dict:
    """Point `number` of a scrambled Halton sequence, whose points cover the space more evenly than random ones."""
    sequence = qmc.Halton(len(space.space), rng=seed).fast_forward(number)
    return _configuration(space, sequence.random()[0])


def _configuration(space: kt.HyperParameters, probabilities: Sequence[float]) -> dict:
    values: dict = {}
    for parameter, probability in zip(space.space, probabilities, strict=True):
        if is_active(parameter, values):
            values[parameter.name] = parameter.prob_to_value(float(probability))
    return values


def is_finite(space: kt.HyperParameters) -> bool:
    """Whether the space has no continuous hyperparameter."""
    return not any(isinstance(hp, kt.engine.hyperparameters.Float) and hp.step is None for hp in space.space)


def combinations(space: kt.HyperParameters) -> Iterator[dict]:
    """Every point, the first hyperparameter varying slowest and each beginning with its default.

    Of a continuous one KerasTuner's ten values.
    """
    yield from _combinations(space.space, {})


def _combinations(parameters: Sequence[HyperParameter], chosen: dict) -> Iterator[dict]:
    if not parameters:
        yield chosen
        return
    first, rest = parameters[0], parameters[1:]
    if not is_active(first, chosen):
        yield from _combinations(rest, chosen)
        return
    for value in dict.fromkeys([first.default, *first.values]):
        yield from _combinations(rest, {**chosen, first.name: value})


def untried(space: kt.HyperParameters, is_tried: Callable[[dict], bool]) -> list[dict]:
    """The untried configurations of a space without continuous hyperparameters."""
    configurations = itertools.islice(combinations(space), MAX_ENUMERATED)
    return [values for values in configurations if not is_tried(values)]
