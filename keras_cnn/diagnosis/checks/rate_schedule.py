"""Whether a learning rate schedule leaves enough steps at a useful rate."""

from collections.abc import Iterator

import keras
import numpy as np

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.probe.learning_rate import rates_of, schedule_of

# set by hand
TRAINING_STEPS = 10_000  # of a usual training, over which the schedule is looked at
MIN_WORTH = 200  # steps at the peak that all of these steps together must be worth
MAX_WARMUP_STEPS = 5_000  # to half of the peak


def schedule_findings(model: keras.Model) -> Iterator[Finding]:
    """At most one finding: the learning rate falls within too few steps, or rises over too many."""
    schedule = schedule_of(model)
    if schedule is None:
        return
    rates = rates_of(schedule, 10 * TRAINING_STEPS)
    peak = rates.max()
    if peak <= 0:
        return
    risen = int(np.argmax(rates >= peak / 2))
    worth = float(rates[risen : risen + TRAINING_STEPS].sum() / peak)
    name = type(schedule).__name__
    if worth < MIN_WORTH:
        low = int(np.argmax(rates[risen:] < peak / 100)) + risen
        yield make_finding(
            "schedule_decays_too_fast",
            f"{name} falls from {peak:.1e} to a hundredth of that by step {low}; all steps "
            f"together are worth {worth:.0f} "
            "steps at the peak.",
            0.97,
            numbers={"peak": float(peak), "worth": worth, "step": float(low)},
        )
    elif risen > MAX_WARMUP_STEPS:
        yield make_finding(
            "schedule_warms_up_too_long",
            f"{name} starts at {rates[0]:.1e} and reaches half of its peak of {peak:.1e} after {risen} steps.",
            0.6,
            numbers={"peak": float(peak), "step": float(risen)},
        )
