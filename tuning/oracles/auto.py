"""The tuner `auto`: what is known first, then generations of short trainings of which the best are trained for longer.

Generation 0 is the default configuration, or those that the user starts with: trained briefly, then in full. Each later
generation trains nine configurations for a ninth of the epochs, the best third of these for a third, and the best one
of these in full: successive halving (Jamieson & Talwalkar 2016, AISTATS 51). A third of the nine cover the space
evenly, a third are neighbors of the best so far, and a third are proposed by a Gaussian process over the first rung,
where all were trained equally long.

What a generation begins with depends on the first rungs of earlier ones alone, and these have ended. So no choice
depends on which trial ends first, and a worker that would wait for a promotion begins the next generation.

With a limit of time, generations are as large as fits, promotions as long as fits, and what is left at the end goes
into a longer training of the best configuration.
"""

import itertools
import math
from collections.abc import Callable
from functools import partial

from keras_tuner.engine.trial import Trial

from tuning.config import COMPLETED, RUNNING
from tuning.oracles import time_plan
from tuning.oracles.base import IDLE, STOPPED, DurableOracle, is_too_large, ranking
from tuning.oracles.candidates import (
    default_configuration,
    modeled,
    near_the_best,
    spread_configuration,
)
from tuning.oracles.plan import GENERATION_SIZE, REDUCTION_FACTOR, auto_rungs
from tuning.oracles.time_plan import Cost

EXTENSION = -1  # the generation of the last training


class AutoOracle(DurableOracle):
    """`tuner/bracket` and `tuner/round` of a trial name its generation and rung, `tuner/trial_id` its parent."""

    max_epochs = 8  # of a training in full
    min_epochs = 1  # of a training at the first rung
    last_generation: float = math.inf
    trains_default_in_full = True  # not of a user's own space, whose default may be any
    continues = False  # whether a promoted trial continues its parent instead of training from new weights
    epochs_follow_time = False
    seconds_left: Callable[[], float] = staticmethod(lambda: math.inf)

    def __init__(self, **arguments):
        self._costs: dict[str, Cost] = {}
        super().__init__(**arguments)

    def learn_cost(self, trial: Trial, metrics: dict) -> None:
        """Take up what a trial that has ended did cost."""
        values = trial.hyperparameters.values
        cost = time_plan.cost_of(metrics, values["tuner/epochs"] - values["tuner/initial_epoch"])
        if cost is not None:
            self._costs[trial.trial_id] = cost

    @property
    def epoch_seconds(self) -> float:
        """What an epoch usually takes; 0 before the first trial has ended."""
        return time_plan.typical(self._costs.values()).epoch if self._costs else 0.0

    def populate_space(self, trial_id: str) -> dict:
        for generation in itertools.count():
            if generation > self.last_generation:
                break
            values = self._next_of(generation)
            if values:
                return {"status": RUNNING, "values": values}
            members = self._members(generation, 0)
            if any(trial.status == RUNNING for trial in members):
                return {"status": IDLE}
            if generation > 0 and not members:
                break
        values = None if self.ongoing_trials else self._extension()
        if values:
            return {"status": RUNNING, "values": values}
        return {"status": IDLE if self.ongoing_trials else STOPPED}

    def _next_of(self, generation: int) -> dict | None:
        """The values of the next trial of a generation; None while, or since, there is none."""
        rungs, members = self._rungs(generation), self._members(generation, 0)
        size = self._size(generation, rungs)
        if len(members) < size:
            values = self._candidate(generation, len(members))
            values = values and self._in_time(values, generation, 0, rungs)
            if values:
                return values | {"tuner/size": size}
        for number in range(1, len(rungs)):
            if any(trial.status == RUNNING for trial in members):
                return None
            promoted = self._promoted(generation, members)
            members = self._members(generation, number)
            continued = {trial.hyperparameters.values["tuner/trial_id"] for trial in members}
            for trial in promoted:
                values = None if trial.trial_id in continued else trial.hyperparameters.values
                values = values and self._in_time(values, generation, number, rungs, trial)
                if values:
                    return values
        return None

    def _rungs(self, generation: int) -> list[int]:
        """Epochs of each rung of a generation."""
        rungs = auto_rungs(self._full_epochs(), self.min_epochs)
        if generation > 0:
            return rungs
        first = self.min_epochs if self.epochs_follow_time else rungs[0]
        in_full = self.trains_default_in_full or bool(self.initial_configurations)
        return [first, rungs[-1]] if in_full and rungs[-1] > first else [first]

    def _full_epochs(self) -> int:
        """Epochs of a training in full: where they follow from the time, as an earlier trial says, or as fits."""
        planned = [trial.hyperparameters.values.get("tuner/max_epochs", 0) for trial in self.trials.values()]
        pilots = [trial for trial in self._members(0, 0) if trial.trial_id in self._costs]
        if not self.epochs_follow_time or not (any(planned) or pilots):
            return self.max_epochs
        left = self.seconds_left()
        return max(planned) or time_plan.full_epochs(self._costs[pilots[0].trial_id], left, self.slots)

    def _size(self, generation: int, rungs: list[int]) -> int:
        """How many trials a generation has at its first rung."""
        members = self._members(generation, 0)
        if members:
            return members[0].hyperparameters.values["tuner/size"]
        if generation == 0:
            return len(self._known())
        if not self._costs:
            return GENERATION_SIZE
        cost, left = time_plan.typical(self._costs.values()), self.seconds_left()
        fitting = (
            size
            for size in range(GENERATION_SIZE, 0, -REDUCTION_FACTOR)
            if time_plan.generation_seconds(cost, size, rungs, self.slots) <= left
        )
        return next(fitting, 0)

    def _known(self) -> list[dict]:
        return list(self.initial_configurations) or [default_configuration(self.hyperparameters)]

    def _candidate(self, generation: int, index: int) -> dict | None:
        """The configuration of trial `index` of the first rung of a generation."""
        if generation == 0:
            return self._known()[index]
        space, key = self.hyperparameters, f"{self.seed}/{generation}/{index}"
        rungs = ((trial, *place_of(trial)) for trial in self.trials.values() if trial.status != RUNNING)
        first = [trial for trial, earlier, number in rungs if 0 <= earlier < generation and number == 0]
        sources = {
            0: lambda: None,
            1: lambda: near_the_best(space, first, self._duplicate, key=key, index=index, sign=self.sign),
            2: lambda: modeled(space, first, self._duplicate, key=key, seed=self.seed, sign=self.sign),
        }
        informed = generation > 1 or self.trains_default_in_full
        values = sources[index % len(sources)]() if informed else None
        number = generation * GENERATION_SIZE + index
        spread = partial(spread_configuration, space, self._duplicate, seed=self.seed, number=number)
        return values or spread() or self.sample_untried()

    def _promoted(self, generation: int, members: list[Trial]) -> list[Trial]:
        completed = [trial for trial in members if trial.status == COMPLETED]
        if generation == 0:
            return completed
        ranked = sorted(completed, key=lambda trial: ranking(trial, self.sign))
        return ranked[: max(1, len(members) // REDUCTION_FACTOR)]

    def _in_time(
        self, values: dict, generation: int, number: int, rungs: list[int], parent: Trial | None = None
    ) -> dict | None:
        """`values` with the place of a trial, and fewer epochs if the time is short; None if it is too short."""
        epochs, trained = rungs[number], parent.hyperparameters.values["tuner/epochs"] if parent else 0
        initial = trained if self.continues else 0
        cost = self._cost(parent)
        if cost is not None and cost.seconds(epochs - initial) > self.seconds_left():
            epochs = min(epochs, initial + cost.epochs_within(self.seconds_left()))
            if epochs < rungs[0] or epochs <= trained:
                return None
        place = {"tuner/bracket": generation, "tuner/round": number}
        place |= {"tuner/epochs": epochs, "tuner/initial_epoch": initial}
        if generation > 0 or number > 0:
            place["tuner/max_epochs"] = rungs[-1]
        return values | place | ({"tuner/trial_id": parent.trial_id} if parent else {})

    def _cost(self, parent: Trial | None) -> Cost | None:
        """What a trial will cost: as its parent did, or as others do; None if none has ended."""
        if parent is not None and parent.trial_id in self._costs:
            return self._costs[parent.trial_id]
        return time_plan.typical(self._costs.values()) if self._costs else None

    def _extension(self) -> dict | None:
        """The best configuration, trained for as long as there is time; None without a limit or without the time."""
        left = self.seconds_left()
        completed = [trial for trial in self.trials.values() if trial.status == COMPLETED]
        if not completed or math.isinf(left):
            return None
        best = min(completed, key=lambda trial: ranking(trial, self.sign))
        values, cost = best.hyperparameters.values, self._cost(best)
        # the best may be one of a lower rung
        longest = max(values["tuner/epochs"], values.get("tuner/max_epochs", 0))
        epochs = cost and time_plan.extended_epochs(cost, longest, left)
        if not epochs:
            return None
        place = {"tuner/bracket": EXTENSION, "tuner/round": 0, "tuner/trial_id": best.trial_id}
        initial = values["tuner/epochs"] if self.continues else 0
        return values | place | {"tuner/epochs": epochs, "tuner/initial_epoch": initial}

    def _members(self, generation: int, number: int) -> list[Trial]:
        trained = [trial for trial in self.trials.values() if not is_too_large(trial)]
        return [trial for trial in trained if place_of(trial) == (generation, number)]

    def still_needed(self) -> set[str]:
        """Trials that another may yet continue: all, where they do."""
        return set(self.trials) if self.continues else set()


def place_of(trial: Trial) -> tuple[int, int]:
    """(generation, rung) of a trial."""
    values = trial.hyperparameters.values
    return values["tuner/bracket"], values["tuner/round"]
