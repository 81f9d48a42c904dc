"""What each class counts in the loss: none, balanced, or numbers."""

import math

from keras_cnn.data.dataset import DataFacts
from keras_cnn.errors import InputError


def check_class_weight(text: str) -> None:
    """Raise InputError unless `text` is `none`, `balanced`, or numbers above 0 joined by commas."""
    if text not in ("none", "balanced") and not _are_weights(text):
        raise InputError(
            f"class_weight={text!r} must be none, balanced, or numbers above 0 joined by commas, "
            "one a class, as in 1,1,2.5."
        )


def class_weights(text: str, facts: DataFacts) -> tuple[float, ...] | None:
    """The weight of each class of `facts`; None where all are equal.

    `balanced` is images / (classes x images of the class), as in scikit-learn. InputError for a wrong number.
    """
    if text == "none":
        return None
    counts = facts.counts["train"]
    if text == "balanced":  # a class without images has nothing to weigh
        return tuple(sum(counts) / (len(counts) * count) if count else 1.0 for count in counts)
    weights = tuple(float(weight) for weight in text.split(","))
    if len(weights) != len(facts.classes):
        raise InputError(
            f"class_weight has {len(weights)} numbers for the {len(facts.classes)} classes of {facts.name}: "
            f"{', '.join(facts.classes)}."
        )
    return weights


def _are_weights(text: str) -> bool:
    try:
        return all(0 < float(number) < math.inf for number in text.split(","))
    except ValueError:
        return False
