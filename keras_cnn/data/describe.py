"""DataFacts as text for a person."""

import numpy as np

from keras_cnn.data.dataset import DataFacts
from keras_cnn.task import TASKS

LISTED_CLASSES = 20


def describe(facts: DataFacts) -> str:
    """Shape, statistics, counts per split and class, and notes, one a line."""
    height, width, channels = facts.shape
    lines = [
        f"{facts.name}: {facts.task}, {len(facts.classes)} {TASKS[facts.task].noun}, images {height}x{width}x{channels}"
    ]
    low, high = facts.value_range
    for channel, (mean, variance) in enumerate(zip(facts.mean, facts.variance, strict=True)):
        deviation = float(np.sqrt(variance))
        lines.append(
            f"channel {channel} of train: mean {mean:.3f}, standard deviation {deviation:.3f} of {low:g}..{high:g} "
            f"({(mean - low) / (high - low):.4f}, {deviation / (high - low):.4f} of 0..1)"
        )
    lines += [f"{split}: {facts.images(split):,} images" for split in facts.counts]
    unit = " pixels" if TASKS[facts.task].unit == "pixels" else ""
    for index, name in enumerate(facts.classes[:LISTED_CLASSES]):
        lines.append(f"  {name}: " + ", ".join(f"{s} {c[index]:,}{unit}" for s, c in facts.counts.items()))
    if len(facts.classes) > LISTED_CLASSES:
        lines.append(f"  ... and {len(facts.classes) - LISTED_CLASSES} {TASKS[facts.task].noun} more")
    return "\n".join([*lines, *(f"note: {note}" for note in facts.notes)])
