"""Importance of each hyperparameter for the score, estimated from the trials of a study."""

from collections.abc import Sequence

import keras_tuner as kt
import numpy as np
from keras_tuner.engine.hyperparameters import Fixed

from tuning.space.sampling import coordinate

MIN_TRIALS = 8  # completed trials
TREES = 100
FOLDS = 5
SHUFFLES = 20


def axes(space: kt.HyperParameters) -> list:
    """The hyperparameters that vary."""
    return [hp for hp in space.space if not isinstance(hp, Fixed) and len(list(hp.values)) > 1]


def columns(space: kt.HyperParameters) -> dict[str, list]:
    """The hyperparameters that vary, by name; `learning_rate_sgd` and `learning_rate_adamw`, of which a trial has only
    one, are joined as `learning_rate`."""
    found: dict[str, list] = {}
    for parameter in axes(space):
        name = parameter.name
        for condition in parameter.conditions:
            for value in condition.values:
                name = name.removesuffix(f"_{value}")
        found.setdefault(name, []).append(parameter)
    return found


def position(parameters: Sequence, values: dict) -> float:
    """Position of a configuration in the range of the active one of `parameters`, in [0, 1]; NaN without one."""
    for parameter in parameters:
        if parameter.name in values:
            return parameter.value_to_prob(values[parameter.name])
    return float("nan")


def importance(
    space: kt.HyperParameters, configurations: Sequence[dict], scores: Sequence[float]
) -> dict[str, float]:
    """Permutation importance of the hyperparameters (Breiman 2001, Random Forests, section 10), on held-out trials.

    A forest is fitted to four fifths of the trials; on the others one hyperparameter's values are shuffled. Under
    Hyperband the epochs count as one, because trials that were trained for longer score better.

    Args:
        space: the hyperparameters.
        configurations: values of each completed trial.
        scores: of each completed trial.

    Returns:
        Hyperparameter -> increase of the squared error on held-out trials, as a share of the variance of the scores,
        at least 0, the largest first. Empty for fewer than MIN_TRIALS trials.
    """
    if len(configurations) < MIN_TRIALS or np.ptp(scores) == 0:
        return {}
    columns = {hp.name: [coordinate(hp, values) for values in configurations] for hp in axes(space)}
    if any("tuner/epochs" in values for values in configurations):
        columns["epochs"] = [float(values["tuner/epochs"]) for values in configurations]
    found = _held_out_importance(np.array(list(columns.values())).T, np.array(scores))
    ranked = sorted(zip(columns, found, strict=True), key=lambda pair: -pair[1])
    return {name: max(0.0, float(value)) for name, value in ranked}


def _held_out_importance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Increase of the squared error by shuffling each column of x (trials, hyperparameters), relative to var(y)."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import KFold

    random, total = np.random.default_rng(0), np.zeros(x.shape[1])
    for fitted, held_out in KFold(FOLDS, shuffle=True, random_state=0).split(x):
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0).fit(x[fitted], y[fitted])
        rows = _shuffled(x[held_out], random)
        # scikit-learn's permutation_importance predicts each shuffle alone, which takes a hundred times as long
        found = forest.predict(rows.reshape(-1, x.shape[1])).reshape(rows.shape[:-1])
        squared = (found - y[held_out]) ** 2  # (columns + 1, shuffles, trials)
        total += (squared[1:].mean(axis=1) - squared[0].mean(axis=0)).sum(axis=-1)
    return total / len(y) / y.var()


def _shuffled(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(columns + 1, SHUFFLES, *x.shape): x as it is, then with each of its columns shuffled."""
    rows = np.broadcast_to(x, (x.shape[1] + 1, SHUFFLES, *x.shape)).copy()
    for column in range(x.shape[1]):
        for shuffle in range(SHUFFLES):
            rows[column + 1, shuffle, :, column] = random.permutation(x[:, column])
    return rows
