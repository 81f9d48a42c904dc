"""The plan of Hyperband (Li et al. 2018, JMLR 18, algorithm 1) as numbers: brackets, rungs, trials and epochs.

The sizes are those of KerasTuner 1.4, so that a study can be opened by its Hyperband.
"""

import math
from dataclasses import dataclass

from tuning.config import StudyConfig

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


def planned_epochs(study: StudyConfig) -> int:
    """Epochs that a search trains if nothing ends it early."""
    if study.search.tuner == "hyperband":
        return sum(rung.size * (rung.epochs - rung.initial_epoch) for rung in plan_of(study))
    return (study.search.trial_limit or 0) * study.base.epochs


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
