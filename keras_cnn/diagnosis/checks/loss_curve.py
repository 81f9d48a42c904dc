"""Findings on the loss curve of a training: it stays at chance, oscillates, or overfits."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from keras_cnn.diagnosis.findings import Finding, make_finding

# all set by hand
WINDOW_BATCHES = 20  # whose losses are averaged
CHANCE_RATIO, CHANCE_WINDOWS = (
    0.98,
    10,
)  # loss / chance loss that counts as chance, in so many windows in a row
MIN_SHORT_BATCHES = 20  # of a training whose loss is compared with chance at its end
SWING_COUNT, SWING_WINDOWS = 5, 8  # changes of the mean within so many windows
SWING_RATIO = 0.1  # change / chance loss that counts as a swing
OVERFIT_EPOCHS = 3  # in which the validation loss rises while the training loss falls


def course_findings(losses: Sequence[float], chance: float) -> list[Finding]:
    """Findings on the losses of all batches so far.

    Args:
        losses: of each batch, in nats.
        chance: loss of a model that predicts the class frequencies, in nats.
    """
    count = len(losses) // WINDOW_BATCHES
    means = (
        np.array(losses[len(losses) - count * WINDOW_BATCHES :]).reshape(count, WINDOW_BATCHES).mean(axis=1)
        if count
        else np.array([])
    )
    found = []
    if count >= CHANCE_WINDOWS and means[-CHANCE_WINDOWS:].min() > CHANCE_RATIO * chance:
        message = (
            f"The loss of {means[-1]:.3f} equals chance ({chance:.3f}, from class frequencies alone): no mean of "
            f"{WINDOW_BATCHES} batches was below {CHANCE_RATIO} of it in {CHANCE_WINDOWS * WINDOW_BATCHES} batches."
        )
        numbers = {"loss": float(means[-1]), "chance": chance}
        found.append(make_finding("stands_at_chance", message, 0.8, numbers=numbers))
    recent = np.diff(means[-SWING_WINDOWS:])
    large = recent[np.abs(recent) > SWING_RATIO * chance]
    if count >= SWING_WINDOWS and int((np.diff(np.sign(large)) != 0).sum()) >= SWING_COUNT - 1:
        swing = float(np.abs(large).max())
        message = (
            f"The mean loss oscillates by up to {swing:.2f} in {SWING_WINDOWS * WINDOW_BATCHES} batches."
        )
        found.append(make_finding("loss_swings", message, 0.6, numbers={"swing": swing}))
    return found


def short_course_findings(losses: Sequence[float], chance: float) -> list[Finding]:
    """At most one finding on a training of fewer than 200 batches: its loss is still at chance at the end.

    Args:
        losses: of each batch, in nats.
        chance: loss of a model that predicts the class frequencies, in nats.
    """
    batches = CHANCE_WINDOWS * WINDOW_BATCHES
    last = losses[-WINDOW_BATCHES:]
    if not MIN_SHORT_BATCHES <= len(losses) < batches or np.mean(last) <= CHANCE_RATIO * chance:
        return []
    message = (
        f"The mean loss of the last {len(last)} of {len(losses)} batches is {np.mean(last):.3f}, chance {chance:.3f}; "
        "so short a training does not show whether it would have fallen."
    )
    return [
        make_finding(
            "stands_at_chance", message, 0.4, numbers={"loss": float(np.mean(last)), "chance": chance}
        )
    ]


def overfitting(history: Sequence[dict[str, float]]) -> list[Finding]:
    """At most one finding: validation got worse for three epochs in a row while training got better.

    Args:
        history: Keras's logs of each epoch.
    """
    last = [logs for logs in history if "val_loss" in logs][-OVERFIT_EPOCHS - 1 :]
    if len(last) <= OVERFIT_EPOCHS:
        return []
    falls = all(after["loss"] < before["loss"] for before, after in pairwise(last))
    rises = all(after["val_loss"] > before["val_loss"] for before, after in pairwise(last))
    if not (falls and rises):
        return []
    numbers = {"from": last[0]["val_loss"], "to": last[-1]["val_loss"]}
    message = (
        f"The validation loss rose for {OVERFIT_EPOCHS} epochs, from {numbers['from']:.3f} to {numbers['to']:.3f}, "
        "while the training loss fell."
    )
    return [make_finding("overfitting", message, 0.7, numbers=numbers)]
