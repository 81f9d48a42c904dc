"""The best trial of a study, as a value."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class BestTrial:
    """The best trial of a study.

    Args:
        trial: its name.
        score: its value of `objective`; of repeats or folds, the mean.
        objective: the metric that ranks trials.
        hyperparameters: name -> value of what was searched.
        directory: of its run; of repeats or folds, the best one's.
        interval: of a mean, its 95 % interval (Student's t).
    """

    trial: str
    score: float
    objective: str
    hyperparameters: dict[str, Any]
    directory: Path
    interval: tuple[float, float] | None = None
