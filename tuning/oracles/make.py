"""The oracle of a study, by the name of its tuner."""

import keras_tuner as kt

from tuning.config import StudyConfig
from tuning.oracles.base import PROJECT, DurableOracle, GridOracle, RandomOracle, declare_space


def make_oracle(study: StudyConfig) -> DurableOracle:
    """The oracle of `study`, in the state its directory holds, over the whole declared space."""
    from tuning.oracles.bayesian import BayesianOracle  # imports scikit-learn's Gaussian processes
    from tuning.oracles.hyperband import BracketOracle

    kinds = {
        "random": RandomOracle,
        "bayesian": BayesianOracle,
        "grid": GridOracle,
        "hyperband": BracketOracle,
    }
    epochs = {"max_epochs": study.base.epochs} if study.search.tuner == "hyperband" else {}
    oracle = kinds[study.search.tuner](
        objective=kt.Objective(study.objective, "max" if study.sign > 0 else "min"),
        hyperparameters=declare_space(study),
        allow_new_entries=study.space is not None,
        tune_new_entries=study.space is not None,
        seed=study.base.seed + 1,  # KerasTuner takes 0 for "no seed"
        **epochs,
    )
    oracle.verbose, oracle.initial_configurations = 0, study.initial_configurations
    oracle.min_epochs = study.search.min_epochs  # of Hyperband
    oracle.max_trials = study.search.trial_limit
    oracle._set_project_dir(study.directory, PROJECT)
    oracle.reload()
    return oracle
