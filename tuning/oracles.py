"""KerasTuner's oracles, which choose the points, made to write their state so that no kill tears it."""

from pathlib import Path

import keras_tuner as kt
from keras_tuner.oracles import (
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    RandomSearchOracle,
)

from keras_cnn.files import write_json
from keras_cnn.training.tasks import DIRECTION
from tuning.settings import Study
from tuning.space import point

PROJECT = "keras_tuner"
REDUCTION = 3  # hyperband keeps one net in three from round to round (Li et al. 2018, section 3)
DEFAULT_TRIALS = 20


class _Durable(kt.Oracle):
    """What the oracles do differently on disk: atomic writes, and every interrupted trial is run again."""

    first_points: tuple[dict, ...] = ()

    def _random_values(self) -> dict | None:
        """The first points in their order, then the sampler's own."""
        begun = sum("tuner/trial_id" not in trial.hyperparameters.values for trial in self.trials.values())
        return dict(self.first_points[begun]) if begun < len(self.first_points) else super()._random_values()

    def save(self) -> None:
        write_json(Path(self._get_oracle_fname()), self.get_state())

    def _save_trial(self, trial) -> None:
        write_json(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self) -> None:
        super().reload()
        # the trials' own files know best: oracle.json still calls the last one that ended ongoing,
        # and does not know one that began just before a kill
        self._retry_queue = [name for name, trial in self.trials.items() if trial.status == "RUNNING"]
        self.start_order += [name for name in self._retry_queue if name not in self.start_order]

    def _check_consecutive_failures(self) -> None:
        """The search decides when failures end it."""


class RandomOracle(_Durable, RandomSearchOracle):
    """Independent random points."""


class BayesianOracle(_Durable, BayesianOptimizationOracle):
    """Gaussian process with an upper confidence bound."""


class BracketOracle(_Durable, HyperbandOracle):
    """Hyperband."""


class GridOracle(_Durable, GridSearchOracle):
    """Every combination in turn, the first hyperparameter varying slowest."""

    def reload(self) -> None:
        super().reload()
        # its place in the grid is not in KerasTuner's state; it follows from the order of the trials
        before = None
        for trial_id in self.start_order:
            self._ordered_ids.insert(trial_id, before)
            before = trial_id
        self._populate_next = [before] if before else []


def declare_space(study: Study) -> kt.HyperParameters:
    """Every hyperparameter of the study, at its default."""
    space = kt.HyperParameters()
    point(space, study.architectures, study.seen, study.given, wide=study.wide)
    return space


def make_oracle(study: Study) -> kt.Oracle:
    """The oracle of `study`, in the state its directory holds, over the whole declared space."""
    common = {
        "objective": kt.Objective(study.objective, DIRECTION),
        "hyperparameters": declare_space(study),
        "allow_new_entries": False,
        "tune_new_entries": False,
        "seed": study.base.seed + 1,  # KerasTuner takes 0 for "no seed"
    }
    if study.search.tuner == "hyperband":
        oracle: kt.Oracle = BracketOracle(max_epochs=study.base.epochs, factor=REDUCTION, **common)
    else:
        kind = {"random": RandomOracle, "bayesian": BayesianOracle, "grid": GridOracle}[study.search.tuner]
        oracle = kind(max_trials=study.search.trials or DEFAULT_TRIALS, **common)
    oracle.verbose, oracle.first_points = 0, study.first_points
    oracle._set_project_dir(study.directory, PROJECT)
    if Path(oracle._get_oracle_fname()).exists():
        oracle.reload()
    oracle.max_trials = study.search.trials or oracle.max_trials
    return oracle
