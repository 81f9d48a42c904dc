"""KerasTuner's ways to choose configurations, so that neither the speed of workers nor a kill changes a choice."""

import functools

import keras_tuner as kt
from keras_tuner.oracles import BayesianOptimizationOracle, GridSearchOracle, HyperbandOracle
from keras_tuner.src.tuners.gridsearch import LinkedList

from tuning.config import COMPLETED, RUNNING
from tuning.oracles.base import IDLE, STOPPED, configuration_key
from tuning.oracles.gaussian_process import MIN_RANDOM_TRIALS, propose
from tuning.oracles.hyperband import rung_values
from tuning.tuners.oracle import OPEN, ProjectOracle


class BayesianSampler(ProjectOracle):
    """Bayesian optimization that proposes no configuration twice, in milliseconds instead of seconds.

    Without `num_initial_points`, a third of the trials are random, at least 6; stock: 3 for each hyperparameter.
    """

    def populate_space(self, trial_id: str) -> dict:
        completed = sum(trial.status == COMPLETED for trial in self.trials.values())
        initial = self.num_initial_points or max(MIN_RANDOM_TRIALS, (self.max_trials or 0) // 3)
        if completed < initial:
            return self._random_populate_space()
        values = propose(
            self.hyperparameters,
            list(self.trials.values()),
            self._duplicate,
            key=f"{self.seed}/{len(self.trials)}",
            seed=self.seed,
            alpha=self.alpha,
            beta=self.beta,
            maximize=self.objective.direction == "max",
        )
        return {"status": RUNNING, "values": values} if values else self._random_populate_space()


class GridSampler(ProjectOracle):
    """A grid that continues where it was: stock GridSearch does not save its position."""

    def get_state(self) -> dict:
        return {**super().get_state(), "populate_next": list(self._populate_next)}

    def set_state(self, state: dict) -> None:
        super().set_state(state)
        # what of it has a successor already is skipped; stock projects have no such entry
        self._populate_next = list(state.get("populate_next") or self.start_order)
        self._ordered_ids = LinkedList()
        values = {name: trial.hyperparameters.values for name, trial in self.trials.items()}
        order = functools.cmp_to_key(lambda one, other: self._compare(values[one], values[other]))
        for name in sorted(self.start_order, key=order):
            self._ordered_ids.insert(name)


class HyperbandSampler(ProjectOracle):
    """Hyperband that promotes when all trials of a round have ended, so that the speed of workers decides nothing.

    Failed trials, and a space with fewer configurations than a round has places, make a round smaller; stock Hyperband
    then promotes none, and ends without a word.
    """

    def populate_space(self, trial_id: str) -> dict:
        self._remove_completed_brackets()
        while True:
            for bracket in self._brackets:
                values = self._next_of(bracket, trial_id)
                if values:
                    return {"status": RUNNING, "values": values}
            exhausted = self._brackets and not self._brackets[-1]["rounds"][0]
            if exhausted or self._is_last_bracket():
                return {"status": IDLE if self.ongoing_trials else STOPPED}
            self._increment_bracket_num()
            self._start_new_bracket()

    def begin_with(self, min_epochs: int) -> None:
        """Begin with the bracket whose first round trains at least `min_epochs`."""
        self.min_epochs = min_epochs
        self._current_bracket = self._get_num_brackets() - 1
        self._brackets: list[dict] = []
        self._start_new_bracket()

    def _is_last_bracket(self) -> bool:
        return self._current_bracket == 0 and self._current_iteration + 1 == self.hyperband_iterations

    def _next_of(self, bracket: dict, trial_id: str) -> dict | None:
        """The values of the next trial of `bracket`; None while, or since, there is none."""
        number, rounds = bracket["bracket_num"], bracket["rounds"]
        if len(rounds[0]) < self._get_size(number, 0):
            values = self._random_values()
            if values:
                rounds[0].append({"past_id": None, "id": trial_id})
                return values | rung_values(self, number, 0)
        for index in range(1, len(rounds)):
            members = [self.trials[one["id"]] for one in rounds[index - 1]]
            if not members or any(trial.status in OPEN for trial in members):
                return None
            continued = [one["past_id"] for one in rounds[index]]
            for trial in self._ranked(members)[: self._get_size(number, index)]:
                if trial.trial_id not in continued:
                    rounds[index].append({"past_id": trial.trial_id, "id": trial_id})
                    values = {**trial.hyperparameters.values, "tuner/trial_id": trial.trial_id}
                    return values | rung_values(self, number, index)
        return None

    def _ranked(self, members: list) -> list:
        """The completed ones, best first; ties are broken by the configuration."""
        sign = -1 if self.objective.direction == "max" else 1
        completed = [trial for trial in members if trial.status == COMPLETED]
        return sorted(
            completed, key=lambda trial: (sign * trial.score, configuration_key(trial.hyperparameters.values))
        )


SAMPLERS: dict[type[kt.Oracle], type[ProjectOracle]] = {
    BayesianOptimizationOracle: BayesianSampler,
    GridSearchOracle: GridSampler,
    HyperbandOracle: HyperbandSampler,
}


@functools.cache
def project_class(oracle_class: type) -> type:
    """`oracle_class`, one of KerasTuner's or a user's, with the properties of a `ProjectOracle`."""
    mixin = next((SAMPLERS[base] for base in oracle_class.__mro__ if base in SAMPLERS), ProjectOracle)
    return type(oracle_class.__name__, (mixin, oracle_class), {})


def to_project_oracle(oracle: kt.Oracle) -> kt.Oracle:
    """Turn an oracle into a `ProjectOracle`, in place: KerasTuner's tuners make theirs in their constructors."""
    if isinstance(oracle, kt.Oracle) and not isinstance(oracle, ProjectOracle):
        oracle.__class__ = project_class(oracle.__class__)
    return oracle
