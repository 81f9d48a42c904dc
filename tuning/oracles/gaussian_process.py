"""The next configuration of Bayesian optimization, by a Gaussian process over those that were tried.

Stock KerasTuner makes the first 3 points per hyperparameter at random, which is more than most searches have trials;
it descends from 50 starts on a function that is flat between choices, 1.8 s a proposal; it proposes points that were
tried; it does not learn from trials that failed; and it proposes something else after a resume. Here the process
judges many random points and neighbors of the best ones at once (Snoek et al. 2012, section 2: an acquisition
function, here the lower confidence bound of Srinivas et al. 2010), of which those tried are left out.
"""

import random
import warnings
from collections.abc import Callable, Sequence

import keras_tuner as kt
import numpy as np
import sklearn.gaussian_process as gp
from keras_tuner.engine.hyperparameters import Fixed
from keras_tuner.engine.trial import Trial
from sklearn.exceptions import ConvergenceWarning

from tuning.config import COMPLETED, RUNNING
from tuning.oracles.base import ranking
from tuning.space.sampling import coordinate, draw, is_active

MIN_RANDOM_TRIALS = 6  # before the process proposes anything
CANDIDATES = 1000
NEIGHBORS = 100  # of each of the best configurations
BEST = 3


def propose(
    space: kt.HyperParameters,
    trials: Sequence[Trial],
    is_tried: Callable[[dict], bool],
    *,
    key: str,
    seed: int,
    alpha: float,
    beta: float,
    maximize: bool,
) -> dict | None:
    """The untried configuration of the lowest confidence bound; None if no candidate is untried, or no trial completed.

    Args:
        space: all hyperparameters.
        trials: all trials. One that failed counts as the worst that completed, one that runs as the mean, so that
            several workers do not flock to one configuration.
        is_tried: whether a configuration was tried.
        key: determines the candidates.
        seed: of the fit of the process.
        alpha: variance of the noise of the scores, as in scikit-learn's GaussianProcessRegressor.
        beta: weight of the standard deviation; a larger one explores more.
        maximize: whether a larger score is better.
    """
    completed = [trial for trial in trials if trial.status == COMPLETED]
    if not completed:
        return None
    sign = -1 if maximize else 1
    best = sorted(completed, key=lambda trial: (sign * trial.score, *ranking(trial)[1:]))[:BEST]
    candidates = [values for values in _candidates(space, key, best) if not is_tried(values)]
    if not candidates:
        return None
    parameters = [parameter for parameter in space.space if not isinstance(parameter, Fixed)]
    process = _process(alpha, seed)
    vectors = [_vector(parameters, trial.hyperparameters.values) for trial in trials]
    with warnings.catch_warnings():  # of a length scale at its bound: scores that hardly vary have none
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(np.array(vectors), _targets(trials, completed, sign))
    mean, deviation = process.predict([_vector(parameters, values) for values in candidates], return_std=True)
    return candidates[int(np.argmin(mean - beta * deviation))]


def _candidates(space: kt.HyperParameters, key: str, best: Sequence[Trial]) -> list[dict]:
    """Random configurations, and the best with some values drawn anew."""
    configurations = [draw(space, f"{key}/{number}") for number in range(CANDIDATES)]
    for rank, trial in enumerate(best):
        for number in range(NEIGHBORS):
            configurations.append(neighbor(space, trial.hyperparameters.values, f"{key}/{rank}/{number}"))
    return configurations


def _targets(trials: Sequence[Trial], completed: Sequence[Trial], sign: int) -> np.ndarray:
    """What the process predicts of each trial, to be minimized."""
    scores = [sign * trial.score for trial in completed]
    worst, mean = max(scores), float(np.mean(scores))
    return np.array(
        [
            sign * trial.score if trial.status == COMPLETED else mean if trial.status == RUNNING else worst
            for trial in trials
        ]
    )


def _process(alpha: float, seed: int) -> gp.GaussianProcessRegressor:
    return gp.GaussianProcessRegressor(
        kernel=gp.kernels.Matern(nu=2.5, length_scale_bounds=(0.01, 100)),
        n_restarts_optimizer=2,
        normalize_y=True,
        alpha=alpha,
        random_state=seed,
    )


def _vector(parameters: Sequence, values: dict) -> list[float]:
    """The configuration in [0, 1]^n; inactive hyperparameters are at their defaults."""
    return [coordinate(parameter, values) for parameter in parameters]


def neighbor(space: kt.HyperParameters, values: dict, key: str) -> dict:
    """`values` with one hyperparameter in five drawn anew, and at least one, and those that thereby become active."""
    generator, other = random.Random(key), draw(space, key)
    result: dict = {}
    active = [parameter.name for parameter in space.space if parameter.name in values]
    changed = {generator.choice(active)} | {name for name in active if generator.random() < 0.2}
    for parameter in space.space:
        probability = generator.random()
        if is_active(parameter, result):
            keeps = parameter.name in values and parameter.name not in changed
            drawn = other.get(parameter.name, parameter.prob_to_value(probability))
            result[parameter.name] = values[parameter.name] if keeps else drawn
    return result
