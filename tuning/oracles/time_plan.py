"""What trainings cost, as trials have shown, and what fits the seconds that a search has left."""

import operator
import statistics
from collections.abc import Collection
from dataclasses import dataclass

from tuning.config import COMPLETED
from tuning.oracles.plan import REDUCTION_FACTOR, auto_rungs, auto_sizes

FULL_SHARE = 0.25  # of the time that is left after the first trial, for one training in full
MIN_FULL_EPOCHS, MAX_FULL_EPOCHS = 8, 30
SMALLEST_GENERATION = REDUCTION_FACTOR  # configurations, of which one is promoted
MIN_EXTENSION, MAX_EXTENSION = 1.3, 4  # how many times as long as before the last training may be


@dataclass(frozen=True)
class Cost:
    """Seconds of a training: `overhead` for building, tracing and writing, and for each epoch `epoch`."""

    overhead: float
    epoch: float

    def seconds(self, epochs: int) -> float:
        """Of a training of so many epochs."""
        return self.overhead + epochs * self.epoch

    def epochs_within(self, seconds: float) -> int:
        """The most epochs that take at most so many seconds with the overhead; at least 0."""
        return max(0, int((seconds - self.overhead) / max(self.epoch, 1e-6)))


def cost_of(metrics: dict, epochs: int) -> Cost | None:
    """The cost of a trial.

    Args:
        metrics: its metrics.json.
        epochs: that it was to train.

    Returns:
        The cost; None if the trial did not complete.
    """
    if metrics["state"] != COMPLETED:
        return None
    measured = metrics.get("epoch_seconds")
    if not measured:  # several runs, or an older version
        return Cost(0.0, metrics["seconds"] / max(1, epochs))
    epoch = min([max(0.0, measured[0] - metrics.get("startup_seconds", 0.0)), *measured[1:]])
    return Cost(max(0.0, metrics["seconds"] - len(measured) * epoch), epoch)


def typical(costs: Collection[Cost]) -> Cost:
    """The median of several costs."""
    return Cost(
        statistics.median(cost.overhead for cost in costs), statistics.median(cost.epoch for cost in costs)
    )


def full_epochs(pilot: Cost, seconds: float, slots: int = 1) -> int:
    """Epochs of a training in full: a quarter of the `seconds` that are left, or all if that leaves no generation."""
    epochs = min(MAX_FULL_EPOCHS, max(MIN_FULL_EPOCHS, pilot.epochs_within(FULL_SHARE * seconds)))
    generation = generation_seconds(pilot, SMALLEST_GENERATION, auto_rungs(epochs), slots)
    if pilot.seconds(epochs) + generation > seconds:
        return min(MAX_FULL_EPOCHS, max(1, pilot.epochs_within(seconds)))
    return epochs


def generation_seconds(cost: Cost, size: int, rungs: list[int], slots: int) -> float:
    """How long a generation takes.

    Args:
        cost: of each of its trials.
        size: number of its trials at the first rung.
        rungs: epochs of each rung.
        slots: number of trials at once.
    """
    seconds = [cost.seconds(epochs) for epochs in rungs]
    return max(sum(map(operator.mul, auto_sizes(len(rungs), size), seconds)) / slots, sum(seconds))


def extended_epochs(cost: Cost, epochs: int, seconds: float) -> int | None:
    """Epochs of a training that fills the `seconds`, instead of `epochs`; None if there is no time for clearly more."""
    longer = min(MAX_EXTENSION * epochs, cost.epochs_within(seconds))
    return longer if longer >= MIN_EXTENSION * epochs else None
