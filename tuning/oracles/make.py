"""The oracle of a study, by the name of its tuner."""

from typing import TYPE_CHECKING

import keras_tuner as kt

from tuning.config import StudyConfig
from tuning.oracles.base import PROJECT, DurableOracle, GridOracle, RandomOracle, declare_space
from tuning.oracles.plan import GENERATIONS, continues_trials

if TYPE_CHECKING:
    from tuning.oracles.auto import AutoOracle


def make_oracle(study: StudyConfig) -> DurableOracle:
    """The oracle of `study`, in the state its directory holds, over the whole declared space."""
    from tuning.oracles.auto import AutoOracle
    from tuning.oracles.bayesian import BayesianOracle  # imports scikit-learn's Gaussian processes
    from tuning.oracles.hyperband import BracketOracle

    kinds = {
        "auto": AutoOracle,
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
    oracle.min_epochs = study.search.min_epochs  # of those that judge early
    oracle.max_trials = study.search.trial_limit
    if isinstance(oracle, AutoOracle):
        _plan(oracle, study)
    oracle._set_project_dir(study.directory, PROJECT)
    oracle.reload()
    return oracle


def _plan(oracle: "AutoOracle", study: StudyConfig) -> None:
    """Give `auto` what it plans with; a user's own space has defaults that nobody has tuned."""
    oracle.max_epochs, oracle.epochs_follow_time = study.base.epochs, study.epochs_follow_time
    oracle.trains_default_in_full = study.space is None
    oracle.continues = continues_trials(study)
    if not (study.search.trials or study.search.time):
        oracle.last_generation = GENERATIONS
