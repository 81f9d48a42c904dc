"""The plans of Hyperband (Li et al. 2018, JMLR 18, algorithm 1) and of `auto` as numbers: rungs, trials and epochs.

Hyperband's sizes are those of KerasTuner 1.4, so that a study can be opened by its Hyperband.
"""

import math
import operator
from dataclasses import dataclass

from tuning.config import StudyConfig

AUTO_RUNGS = 3
GENERATION_SIZE = 9  # configurations at the first rung of a generation of `auto`
GENERATIONS = 2  # of `auto`, without a limit of trials or time
REDUCTION_FACTOR = 3  # one trial in three is promoted from rung to rung (Li et al. 2018, section 3)


@dataclass(frozen=True)
class Rung:
    """One rung of a bracket.

    Args:
        bracket: number of the bracket; it has `bracket + 1` rungs.
        number: of the rung, from 0.
        size: number of its trials.
        epochs: epoch up to which they train.
        initial_epoch: epoch they start from.
    """

    bracket: int
    number: int
    size: int
    epochs: int
    initial_epoch: int


def hyperband_plan(max_epochs: int, min_epochs: int = 1) -> list[Rung]:
    """All rungs of all brackets for trials of `min_epochs` to `max_epochs` epochs, in a space that is large enough."""
    brackets = range(_brackets(max_epochs, min_epochs))
    return [_rung(max_epochs, bracket, number) for bracket in brackets for number in range(bracket + 1)]


def plan_of(study: StudyConfig) -> list[Rung]:
    """The plan of a Hyperband study."""
    return hyperband_plan(study.base.epochs, study.search.min_epochs)


def continues_trials(study: StudyConfig) -> bool:
    """Whether a promoted trial goes on from its parent's last epoch.

    `auto` instead trains it from new weights with a whole schedule of the learning rate, so that the score at each rung
    is that of a finished net. A user's build(hp) may have its own schedule, or none, and is continued.
    """
    return study.search.tuner == "hyperband" or (study.search.tuner == "auto" and study.space is not None)


def planned_epochs(study: StudyConfig) -> int:
    """Epochs that a search trains if nothing ends it early."""
    if study.search.tuner == "hyperband":
        return sum(rung.size * (rung.epochs - rung.initial_epoch) for rung in plan_of(study))
    if study.search.tuner == "auto":
        return _auto_epochs(study)
    return (study.search.trial_limit or 0) * study.base.epochs


def auto_rungs(max_epochs: int, min_epochs: int = 1) -> list[int]:
    """Epochs of each rung of a generation of `auto`, rising: a ninth, a third, and all of `max_epochs`."""
    epochs = {math.ceil(max_epochs / REDUCTION_FACTOR**number) for number in range(AUTO_RUNGS)}
    return sorted({max(min_epochs, number) for number in epochs})


def auto_sizes(rungs: int, size: int = GENERATION_SIZE) -> list[int]:
    """Trials at each rung of a generation of `auto` with so many rungs, whose first has `size` trials."""
    return [max(1, size // REDUCTION_FACTOR**number) for number in range(rungs)]


def _auto_epochs(study: StudyConfig) -> int:
    """Of all generations, without those that continue; 0 where trials or the time are the limit."""
    if study.search.trials or study.search.time:
        return 0
    rungs = auto_rungs(study.base.epochs, study.search.min_epochs)
    generation = sum(map(operator.mul, auto_sizes(len(rungs)), rungs))
    known = max(1, len(study.initial_configurations))
    return known * (rungs[0] + (rungs[-1] if len(rungs) > 1 else 0)) + GENERATIONS * generation


def _brackets(max_epochs: int, min_epochs: int) -> int:
    number, epochs = 0, float(max_epochs)
    while epochs >= min_epochs:
        epochs, number = epochs / REDUCTION_FACTOR, number + 1
    return number


def _rung(max_epochs: int, bracket: int, number: int) -> Rung:
    survivors = math.ceil(1 + math.log(max_epochs, REDUCTION_FACTOR)) / (bracket + 1)
    size = math.ceil(survivors * REDUCTION_FACTOR ** (bracket - number))
    initial = _epochs(max_epochs, bracket, number - 1) if number else 0
    return Rung(bracket, number, size, _epochs(max_epochs, bracket, number), initial)


def _epochs(max_epochs: int, bracket: int, number: int) -> int:
    return math.ceil(max_epochs / REDUCTION_FACTOR ** (bracket - number))
