"""The course of the losses of a training: does it stand at chance, swing, or learn by heart?"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.suggestions import CLIP, SMALLER_RATE, TEN_TIMES, TENTH, Suggestion

WINDOW = 20  # batches whose losses are averaged
STANDS, STANDS_WINDOWS = 0.98, 10  # of the chance loss, for so many windows
SWINGS, SWING_WINDOWS, SWING = 5, 8, 0.1  # turns within so many windows, each of so much of the chance loss
EPOCHS = 3  # in which the validation loss rises while the training loss falls


def course_findings(losses: Sequence[float], chance: float) -> list[Finding]:
    """Findings on the losses of all batches so far."""
    count = len(losses) // WINDOW
    means = (
        np.array(losses[len(losses) - count * WINDOW :]).reshape(count, WINDOW).mean(axis=1)
        if count
        else np.array([])
    )
    found = []
    if count >= STANDS_WINDOWS and means[-STANDS_WINDOWS:].min() > STANDS * chance:
        found.append(
            Finding(
                "stands_at_chance",
                f"For {STANDS_WINDOWS * WINDOW} batches the loss has not been below {STANDS} of {chance:.3f}, that of "
                "a net which knows the frequencies of the classes and nothing else.",
                "The signal does not pass through the net, the rate is far off, or labels are wrong.",
                (Suggestion("keras-cnn diagnose", "it tells which of these it is"), TENTH, TEN_TIMES),
                0.8,
                numbers={"loss": float(means[-1]), "chance": chance},
            )
        )
    recent = np.diff(means[-SWING_WINDOWS:])
    large = recent[np.abs(recent) > SWING * chance]
    if count >= SWING_WINDOWS and int((np.diff(np.sign(large)) != 0).sum()) >= SWINGS - 1:
        found.append(
            Finding(
                "loss_swings",
                f"Over {SWING_WINDOWS * WINDOW} batches the mean loss swings by up to {np.abs(large).max():.2f}.",
                "Steps are too large for the slopes they stand on.",
                (
                    SMALLER_RATE,
                    CLIP,
                    Suggestion("batches of four times the size", "gradients half as noisy"),
                ),
                0.6,
                numbers={"swing": float(np.abs(large).max())},
            )
        )
    return found


def overfitting(history: Sequence[dict[str, float]]) -> list[Finding]:
    """A finding where validation has got worse for three epochs while training got better. history: logs by epoch."""
    last = [logs for logs in history if "val_loss" in logs][-EPOCHS - 1 :]
    if len(last) <= EPOCHS:
        return []
    falls = all(after["loss"] < before["loss"] for before, after in pairwise(last))
    rises = all(after["val_loss"] > before["val_loss"] for before, after in pairwise(last))
    if not (falls and rises):
        return []
    return [
        Finding(
            "overfitting",
            f"For {EPOCHS} epochs the validation loss has risen, from {last[0]['val_loss']:.3f} to "
            f"{last[-1]['val_loss']:.3f}, while the training loss fell.",
            "The net learns its training images by heart.",
            (
                Suggestion("stop, and take the best weights", "what validation was best at"),
                Suggestion(
                    "augmentation",
                    "more of what the net sees differs from epoch to epoch: training gets worse, validation better",
                ),
                Suggestion(
                    "weight decay or dropout",
                    "a smaller gap between training and validation, in longer training",
                ),
                Suggestion("more images", "the surest; errors fall about as a power of their number"),
            ),
            0.7,
            numbers={"from": last[0]["val_loss"], "to": last[-1]["val_loss"]},
        )
    ]
