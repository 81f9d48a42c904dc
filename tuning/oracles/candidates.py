"""Configurations to try next: the default one, random ones, neighbors of the best, and a model's proposals."""

from collections.abc import Callable, Sequence

import keras_tuner as kt
from keras_tuner.engine.trial import Trial

from tuning.config import COMPLETED
from tuning.oracles.base import MAX_COLLISIONS, configuration_key, ranking
from tuning.oracles.gaussian_process import neighbor, propose
from tuning.space.sampling import draw, draw_spread, is_active

BEST = 3  # trials whose neighbors are tried
MIN_FITTED = 5  # trials to which a Gaussian process is fitted
NOISE = 1e-3  # variance of the scores, in units of their own
EXPLORATION = 1.0  # weight of the standard deviation


def default_configuration(space: kt.HyperParameters) -> dict:
    """Every active hyperparameter at its default."""
    values: dict = {}
    for parameter in space.space:
        if is_active(parameter, values):
            values[parameter.name] = parameter.default
    return values


def configuration(trial: Trial) -> dict:
    """The hyperparameters of a trial, without the tuner's own entries."""
    return {
        name: value for name, value in trial.hyperparameters.values.items() if not name.startswith("tuner/")
    }


def spread_configuration(
    space: kt.HyperParameters, is_tried: Callable[[dict], bool], *, seed: int, number: int
) -> dict | None:
    """Point `number` of a sequence that covers the space evenly; a random one if it was tried, or None for no other."""

    def proposal(attempt: int) -> dict:
        random_one = f"{seed}/{number}/{attempt}"
        return draw(space, random_one) if attempt else draw_spread(space, seed, number)

    return _first_untried(proposal, is_tried)


def near_the_best(
    space: kt.HyperParameters,
    trials: Sequence[Trial],
    is_tried: Callable[[dict], bool],
    *,
    key: str,
    index: int,
    sign: int,
) -> dict | None:
    """An untried neighbor of one of the best completed `trials`; None if none was found.

    Args:
        space: all hyperparameters.
        trials: those of the highest rung count as the best, whatever their scores.
        is_tried: whether a configuration was tried.
        key: determines the neighbor.
        index: which of the best.
        sign: 1 if the highest score is the best, -1 if the lowest is.
    """
    completed = [trial for trial in trials if trial.status == COMPLETED]
    completed.sort(key=lambda trial: (-trial.hyperparameters.values["tuner/epochs"], ranking(trial, sign)))
    best = list(
        {
            configuration_key(trial.hyperparameters.values): configuration(trial) for trial in completed
        }.values()
    )[:BEST]
    if not best:
        return None
    origin = best[index % len(best)]
    return _first_untried(lambda attempt: neighbor(space, origin, f"{key}/{attempt}"), is_tried)


def modeled(
    space: kt.HyperParameters,
    trials: Sequence[Trial],
    is_tried: Callable[[dict], bool],
    *,
    key: str,
    seed: int,
    sign: int,
) -> dict | None:
    """What a Gaussian process over equally long `trials` proposes; None for too few of them."""
    if len(trials) < MIN_FITTED:
        return None
    return propose(
        space,
        trials,
        is_tried,
        key=key,
        seed=seed,
        alpha=NOISE,
        beta=EXPLORATION,
        maximize=sign > 0,
    )


def _first_untried(proposal: Callable[[int], dict], is_tried: Callable[[dict], bool]) -> dict | None:
    proposals = map(proposal, range(MAX_COLLISIONS))
    return next((values for values in proposals if not is_tried(values)), None)
