"""What a probe run measures."""

import math
from dataclasses import dataclass

import numpy as np

EVAL_INTERVAL_STEPS = 12  # steps between two measurements on held-out images


@dataclass(frozen=True)
class Trace:
    """One training run, measured on held-out images before the first step and after every 12.

    Held-out images pass through the model in training mode, so that batch normalization uses their own statistics.

    Args:
        rate: its learning rate.
        losses: of the batch of each step, before the update, in nats.
        held_out: loss of the held-out images at each measurement, in nats.
        logit_stds: standard deviation of the logits over held-out images at each measurement.
        scores: explained entropy of their labels at each measurement, in [0, 1].
        null_score_p999: 99.9th percentile of the score of uninformative outputs.
        probability: that longer training ends with a model that has learned (`probability.py`); NaN if unknown, or
            if the run was longer than what it is computed from.
        other_starts: final scores of the same run from other initial weights; empty if there was no need of any.
    """

    rate: float
    losses: list[float]
    held_out: list[float]
    logit_stds: list[float]
    scores: list[float]
    null_score_p999: float = 0.0
    other_starts: tuple[float, ...] = ()
    probability: float = math.nan

    @property
    def finite(self) -> bool:
        """Whether all losses and scores are."""
        return bool(np.isfinite([*self.losses, *self.held_out, *self.scores]).all())
