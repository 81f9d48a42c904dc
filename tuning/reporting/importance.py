"""How much each hyperparameter has to do with the score, as far as the trials of a study can tell."""

from collections.abc import Sequence

import keras_tuner as kt
import numpy as np
from keras_tuner.engine.hyperparameters import Fixed

from tuning.space.sampling import coordinate

MIN_TRIALS = 8  # completed trials
TREES = 200
SHUFFLES = 20


def axes(space: kt.HyperParameters) -> list:
    """The hyperparameters that vary."""
    return [hp for hp in space.space if not isinstance(hp, Fixed) and len(list(hp.values)) > 1]


def columns(space: kt.HyperParameters) -> dict[str, list]:
    """The hyperparameters that vary, by name; `learning_rate_sgd` and `learning_rate_adamw`, of which the optimizer has
    only one, together as `learning_rate`."""
    found: dict[str, list] = {}
    for parameter in axes(space):
        name = parameter.name
        for condition in parameter.conditions:
            for value in condition.values:
                name = name.removesuffix(f"_{value}")
        found.setdefault(name, []).append(parameter)
    return found


def position(parameters: Sequence, values: dict) -> float:
    """Where a point stands in the range of that of the `parameters` that is active, in [0, 1]; NaN where none is."""
    for parameter in parameters:
        if parameter.name in values:
            return parameter.value_to_prob(values[parameter.name])
    return float("nan")


def importance(
    space: kt.HyperParameters, configurations: Sequence[dict], scores: Sequence[float]
) -> dict[str, float]:
    """Hyperparameter -> how much of the variance of the scores a forest explains less when its values are shuffled, the
    largest first; empty of fewer than 8 trials.

    Permutation importance (Breiman 2001, Random Forests, section 10). Under Hyperband the epochs count as one, for
    trials that were trained for longer score better.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    if len(configurations) < MIN_TRIALS or np.ptp(scores) == 0:
        return {}
    varied = axes(space)
    columns = {hp.name: [coordinate(hp, values) for values in configurations] for hp in varied}
    if any("tuner/epochs" in values for values in configurations):
        columns["epochs"] = [float(values["tuner/epochs"]) for values in configurations]
    x, y = np.array(list(columns.values())).T, np.array(scores)
    forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0).fit(x, y)
    found = permutation_importance(forest, x, y, n_repeats=SHUFFLES, random_state=0).importances_mean
    ranked = sorted(zip(columns, found, strict=True), key=lambda pair: -pair[1])
    return {name: max(0.0, float(value)) for name, value in ranked}
