"""Importance of each hyperparameter for the score, estimated from the trials of a study."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras_tuner as kt
import numpy as np

from tuning.reporting.axes import search_axes
from tuning.space.sampling import coordinate

MIN_TRIALS = 4  # completed trials
TREES = 100
FOLDS = 5
SHUFFLES = 20
PREDICTIONS = 200_000  # of a forest, at most: of many trials there are fewer shuffles
RESAMPLED = 1000  # draws of an interval


@dataclass(frozen=True)
class Importance:
    """Increase of the squared error on held-out trials without a hyperparameter, as a share of the scores' variance.

    low, high: its 95 % interval, from trials drawn anew (Efron 1979).
    """

    value: float
    low: float
    high: float


def importance(
    space: kt.HyperParameters, configurations: Sequence[dict], scores: Sequence[float]
) -> dict[str, Importance]:
    """Permutation importance of the hyperparameters (Breiman 2001, Random Forests, section 10), on held-out trials.

    A forest is fitted to four fifths of the trials; of the others one hyperparameter is replaced by values of other
    trials. Those of which a trial has only one, as `search_axes` joins them, are replaced together. Under Hyperband
    the epochs count as one, because trials that were trained for longer score better.

    Args:
        space: the hyperparameters.
        configurations: values of each completed trial.
        scores: of each completed trial.

    Returns:
        Hyperparameter -> importance, at least 0, the largest first. Empty for fewer than MIN_TRIALS trials.
    """
    if len(configurations) < MIN_TRIALS or np.ptp(scores) == 0:
        return {}
    columns: list[list[float]] = []
    groups: dict[str, list[int]] = {}
    for name, axis in search_axes(space).items():
        for parameter in axis.parameters:
            groups.setdefault(name, []).append(len(columns))
            columns.append([coordinate(parameter, values) for values in configurations])
    if any("tuner/epochs" in values for values in configurations):
        groups["epochs"] = [len(columns)]
        columns.append([float(values["tuner/epochs"]) for values in configurations])
    if not groups:
        return {}
    increases = _held_out_increases(np.array(columns).T, np.array(scores, float), list(groups.values()))
    found = dict(zip(groups, map(_with_interval, increases.T), strict=True))
    return dict(sorted(found.items(), key=lambda pair: -pair[1].value))


def _held_out_increases(x: np.ndarray, y: np.ndarray, groups: Sequence[list[int]]) -> np.ndarray:
    """(trials, groups): increase of the squared error by replacing a group's columns of x, relative to var(y)."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import KFold

    random, found = np.random.default_rng(0), np.zeros((len(x), len(groups)))
    for fitted, held_out in KFold(min(FOLDS, len(x)), shuffle=True, random_state=0).split(x):
        forest = RandomForestRegressor(TREES, min_samples_leaf=min(2, len(x) // MIN_TRIALS), random_state=0)
        forest.fit(x[fitted], y[fitted])
        rows = _replaced(x, held_out, groups, random)
        # scikit-learn's permutation_importance predicts each shuffle alone, which takes a hundred times as long
        predicted = forest.predict(rows.reshape(-1, x.shape[1])).reshape(rows.shape[:-1])
        squared = (predicted - y[held_out]) ** 2  # (groups + 1, shuffles, held-out trials)
        found[held_out] = (squared[1:].mean(axis=1) - squared[0].mean(axis=0)).T
    return found / y.var()


def _replaced(
    x: np.ndarray, held_out: np.ndarray, groups: Sequence[list[int]], random: np.random.Generator
) -> np.ndarray:
    """(groups + 1, shuffles, held-out trials, columns): trials as they are, then with each group of another trial."""
    shuffles = max(2, min(SHUFFLES, PREDICTIONS // (len(x) * (len(groups) + 1))))
    rows = np.broadcast_to(x[held_out], (len(groups) + 1, shuffles, len(held_out), x.shape[1])).copy()
    for number, columns in enumerate(groups, start=1):
        others = random.integers(0, len(x), (shuffles, len(held_out)))
        rows[number, :, :, columns] = np.moveaxis(x[others][..., columns], -1, 0)
    return rows


def _with_interval(increases: np.ndarray) -> Importance:
    draws = np.random.default_rng(0).integers(0, len(increases), (RESAMPLED, len(increases)))
    low, high = np.quantile(increases[draws].mean(axis=1), (0.025, 0.975))
    return Importance(*(max(0.0, float(value)) for value in (increases.mean(), low, high)))
