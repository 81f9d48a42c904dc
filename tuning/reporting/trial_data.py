"""The trials of a study as the figures of its report take them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import keras_tuner as kt
import numpy as np

from keras_cnn.training.tasks import sign_of
from tuning.config import StudyConfig
from tuning.oracles.base import declare_space
from tuning.reporting.axes import SearchAxis, search_axes
from tuning.reporting.importance import Importance, importance
from tuning.storage.trials import Row, hyperparameters, outcome

WORST_SHARE = (
    0.1  # of the trials, which have the worst color all: one bad score would leave the others one color
)


@dataclass(frozen=True)
class TrialData:
    """A study and the rows of its trials, as `trials` gives them: best first."""

    study: StudyConfig
    rows: Sequence[Row]

    @cached_property
    def metrics(self) -> dict[str, dict]:
        """Trial -> its metrics.json; empty before it ends."""
        return {row["trial"]: outcome(self.study.trial_directory(row["trial"])) for row in self.rows}

    @cached_property
    def completed(self) -> list[Row]:
        """Rows of trials with a score."""
        return [row for row in self.rows if row["score"] is not None]

    @cached_property
    def scores(self) -> list[float]:
        """Of the completed trials."""
        return [row["score"] for row in self.completed]

    @cached_property
    def names(self) -> list[str]:
        """Of the completed trials."""
        return [row["trial"] for row in self.completed]

    @cached_property
    def configurations(self) -> list[dict]:
        """Hyperparameters of the completed trials, with what the tuner added."""
        return [hyperparameters(row, tuner=True) for row in self.completed]

    @cached_property
    def space(self) -> kt.HyperParameters:
        return declare_space(self.study)

    @cached_property
    def axes(self) -> dict[str, SearchAxis]:
        return search_axes(self.space)

    @cached_property
    def importance(self) -> dict[str, Importance]:
        return importance(self.space, self.configurations, self.scores)

    @property
    def objective(self) -> str:
        return self.study.objective

    @property
    def sign(self) -> int:
        """1 if the highest score is the best, -1 if the lowest is."""
        return sign_of(self.study.objective)

    @cached_property
    def color_range(self) -> tuple[float, float]:
        """Scores with the first and the last color."""
        bound = float(np.quantile(self.scores, WORST_SHARE if self.sign > 0 else 1 - WORST_SHARE))
        low, high = (bound, max(self.scores)) if self.sign > 0 else (min(self.scores), bound)
        return low, high if high > low else low + 1e-9

    def goodness(self, score: float) -> float:
        """Where a score is in the range of colors, in [0, 1]; 1 is the best."""
        low, high = self.color_range
        share = min(max((score - low) / (high - low), 0.0), 1.0)
        return share if self.sign > 0 else 1 - share
