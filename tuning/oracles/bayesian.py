"""Bayesian optimization with KerasTuner's Gaussian process, fast and without repeated configurations.

Stock KerasTuner makes the first 3 points per hyperparameter at random, which is more than most searches have trials;
it descends from 50 starts on a function that is flat between choices, 1.8 s a proposal; it proposes points that were
tried; it does not learn from trials that failed; and it proposes something else after a resume. Here the process
judges many random points and neighbors of the best ones at once (Snoek et al. 2012, section 2: an acquisition
function, here the lower confidence bound of Srinivas et al. 2010), of which those tried are left out.
"""

import random
import warnings

import keras_tuner as kt
import numpy as np
import sklearn.gaussian_process as gp
from keras_tuner.engine.hyperparameters import Fixed
from keras_tuner.engine.trial import Trial
from keras_tuner.oracles import BayesianOptimizationOracle
from sklearn.exceptions import ConvergenceWarning

from tuning.config import COMPLETED, RUNNING
from tuning.oracles.base import DurableOracle, ranking
from tuning.space.sampling import coordinate, draw, is_active

MIN_RANDOM_TRIALS = 6
CANDIDATES = 1000
NEIGHBORS = 100  # of each of the best points
BEST = 3


class BayesianOracle(DurableOracle, BayesianOptimizationOracle):
    """A Gaussian process over the points tried, after a third of them at random."""

    def sample_untried(self) -> dict | None:
        n_started = self.n_started()
        completed = [trial for trial in self.trials.values() if trial.status == COMPLETED]
        if (
            n_started < max(MIN_RANDOM_TRIALS, (self.max_trials or 0) // 3, len(self.initial_configurations))
            or not completed
        ):
            return super().sample_untried()
        candidates = self._candidates(f"{self.seed}/{n_started}", sorted(completed, key=ranking)[:BEST])
        if not candidates:
            return super().sample_untried()
        process = self._fit(completed)
        mean, deviation = process.predict([self._vector(values) for values in candidates], return_std=True)
        return candidates[int(np.argmin(mean - self.beta * deviation))]

    def _candidates(self, key: str, best: list[Trial]) -> list[dict]:
        """Random points, and the best with some values drawn anew; none that was tried."""
        space = self.hyperparameters
        configurations = [draw(space, f"{key}/{number}") for number in range(CANDIDATES)]
        for rank, trial in enumerate(best):
            for number in range(NEIGHBORS):
                configurations.append(neighbor(space, trial.hyperparameters.values, f"{key}/{rank}/{number}"))
        return [values for values in configurations if not self._duplicate(values)]

    def _fit(self, completed: list[Trial]) -> gp.GaussianProcessRegressor:
        """The process over what is known, to be minimized: a trial that failed is as bad as the worst that completed,
        one that runs as bad as the mean, so that several workers do not flock to one point."""
        worst = max(-trial.score for trial in completed)
        mean = float(np.mean([-trial.score for trial in completed]))
        targets = [
            -trial.score if trial.status == COMPLETED else mean if trial.status == RUNNING else worst
            for trial in self.trials.values()
        ]
        process = gp.GaussianProcessRegressor(
            kernel=gp.kernels.Matern(nu=2.5, length_scale_bounds=(0.01, 100)),
            n_restarts_optimizer=2,
            normalize_y=True,
            alpha=self.alpha,
            random_state=self.seed,
        )
        vectors = [self._vector(trial.hyperparameters.values) for trial in self.trials.values()]
        with warnings.catch_warnings():  # of a length scale at its bound: scores that hardly vary have none
            warnings.simplefilter("ignore", ConvergenceWarning)
            return process.fit(np.array(vectors), np.array(targets))

    def _vector(self, values: dict) -> list[float]:
        """The configuration in [0, 1]^n; inactive hyperparameters are at their defaults."""
        return [
            coordinate(parameter, values)
            for parameter in self.hyperparameters.space
            if not isinstance(parameter, Fixed)
        ]


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
