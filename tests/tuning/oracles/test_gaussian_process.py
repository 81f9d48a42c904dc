"""The configuration that the Gaussian process proposes, without a search."""

import keras_tuner as kt
import numpy as np
import pytest
from keras_tuner.engine.trial import Trial

from tuning.config import COMPLETED
from tuning.oracles.gaussian_process import propose


@pytest.mark.parametrize(("beta", "low", "high"), [(0.0, 0.15, 0.25), (2.6, 0.8, 1.0)])
def test_propose_with_larger_beta_explores_what_was_not_tried(beta, low, high):
    """The best score is at 0.2, and nothing above 0.4 was tried."""
    space = kt.HyperParameters()
    space.Float("x", 0.0, 1.0)
    trials = []
    for x in np.linspace(0.0, 0.4, 9):
        hyperparameters = space.copy()
        hyperparameters.values = {"x": float(x)}
        trials.append(Trial(hyperparameters, status=COMPLETED))
        trials[-1].score = 0.5 - (x - 0.2) ** 2
    options = {"key": "0", "seed": 0, "alpha": 1e-4, "maximize": True}
    proposed = propose(space, trials, lambda values: False, beta=beta, **options)
    assert low <= proposed["x"] <= high
