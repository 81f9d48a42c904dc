"""Hyperband (Li et al. 2018, JMLR 18, algorithm 1) whose choices do not depend on which trial ends first.

Stock KerasTuner promotes a trial as soon as enough of its rung have ended, so worker speed decides. Here a rung is
decided when all of its trials have ended; a worker that would wait starts the next bracket instead.
"""

from keras_tuner.engine.trial import Trial
from keras_tuner.oracles import HyperbandOracle

from tuning.config import COMPLETED, RUNNING
from tuning.oracles.base import IDLE, STOPPED, DurableOracle, is_too_large, ranking
from tuning.oracles.plan import REDUCTION_FACTOR


class BracketOracle(DurableOracle, HyperbandOracle):
    """Hyperband; `tuner/bracket`, `tuner/round` and `tuner/trial_id` of a trial name its rung and its parent."""

    def __init__(self, **arguments):
        super().__init__(factor=REDUCTION_FACTOR, **arguments)
        self._exhausted = False

    def populate_space(self, trial_id: str) -> dict:
        for bracket in reversed(range(self._get_num_brackets())):
            values = self._next_of(bracket)
            if values:
                return {"status": RUNNING, "values": values}
        return {"status": IDLE if self.ongoing_trials else STOPPED}

    def _next_of(self, bracket: int) -> dict | None:
        """The values of the next trial of `bracket`; None while, or since, there is none."""
        members = self._members(bracket, 0)
        if len(members) < self._get_size(bracket, 0) and not self._exhausted:
            values = self.sample_untried()
            if values is not None:
                return values | rung_values(self, bracket, 0)
            self._exhausted = True  # a rung may then be smaller than planned
        for number in range(1, bracket + 1):
            if not members or any(trial.status == RUNNING for trial in members):
                return None
            completed = [trial for trial in members if trial.status == COMPLETED]
            ranked = sorted(completed, key=lambda trial: ranking(trial, self.sign))
            promoted = ranked[: self._get_size(bracket, number)]
            members = self._members(bracket, number)
            continued = {trial.hyperparameters.values["tuner/trial_id"] for trial in members}
            for trial in promoted:
                if trial.trial_id not in continued:
                    return (
                        trial.hyperparameters.values
                        | rung_values(self, bracket, number)
                        | {"tuner/trial_id": trial.trial_id}
                    )
        return None

    def _members(self, bracket: int, number: int) -> list[Trial]:
        place = bracket, number
        trained = [trial for trial in self.trials.values() if not is_too_large(trial)]
        return [trial for trial in trained if self.place(trial) == place]

    @staticmethod
    def place(trial: Trial) -> tuple[int, int]:
        """(bracket, round) of a trial."""
        values = trial.hyperparameters.values
        return values["tuner/bracket"], values["tuner/round"]

    def still_needed(self) -> set[str]:
        """Trials that may still be promoted: those of rungs whose successor is not full."""
        needed = set()
        for bracket in range(self._get_num_brackets()):
            for number in range(bracket):
                if len(self._members(bracket, number + 1)) < self._get_size(bracket, number + 1):
                    needed |= {trial.trial_id for trial in self._members(bracket, number)}
        running = [trial.hyperparameters.values for trial in self.trials.values() if trial.status == RUNNING]
        return needed | {values["tuner/trial_id"] for values in running if "tuner/trial_id" in values}


def rung_values(oracle: HyperbandOracle, bracket: int, number: int) -> dict:
    """The hyperparameters that KerasTuner gives a trial of rung `number` of `bracket`."""
    return {
        "tuner/epochs": oracle._get_epochs(bracket, number),
        "tuner/initial_epoch": oracle._get_epochs(bracket, number - 1) if number else 0,
        "tuner/bracket": bracket,
        "tuner/round": number,
    }
