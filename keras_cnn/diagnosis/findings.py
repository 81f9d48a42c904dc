"""Findings: what is wrong with a model, with the numbers that show it; and the table of all kinds of finding."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from keras_cnn.diagnosis.finding_kinds_data import DATA_KINDS
from keras_cnn.diagnosis.finding_kinds_monitor import MONITOR_KINDS
from keras_cnn.diagnosis.finding_kinds_static import STATIC_KINDS
from keras_cnn.diagnosis.finding_kinds_training import TRAINING_KINDS
from keras_cnn.diagnosis.suggestions import FindingKind, Suggestion

FINDINGS: dict[str, FindingKind] = DATA_KINDS | STATIC_KINDS | TRAINING_KINDS | MONITOR_KINDS


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a model or its data.

    Args:
        name: a key of `FINDINGS`, such as `softmax_twice`.
        message: what was measured, with the numbers.
        cause: why that impairs training.
        suggestions: what to do and the expected effect, the cheapest first.
        confidence: in [0, 1], that it keeps the model from learning, or makes it learn worse.
        layer: name of the layer, empty for the whole model.
        numbers: name -> measured value.
        remedies: names of `remedies.REMEDIES` that may fix it, the most promising first.
    """

    name: str
    message: str
    cause: str
    suggestions: tuple[Suggestion, ...]
    confidence: float
    layer: str = ""
    numbers: dict[str, float] = field(default_factory=dict)
    remedies: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" [{self.layer}]" if self.layer else ""
        suggestions = "; or ".join(suggestion.what for suggestion in self.suggestions)
        return f"{self.name}{where}: {self.message} {self.cause} Suggestion: {suggestions}."


def make_finding(
    name: str,
    message: str,
    confidence: float,
    layer: str = "",
    numbers: dict[str, float] | None = None,
    *,
    suggestions: Sequence[Suggestion] | None = None,
    remedies: Sequence[str] | None = None,
) -> Finding:
    """A finding whose cause, suggestions and remedies are those of `FINDINGS[name]` unless given.

    Args:
        name: a key of `FINDINGS`.
        message: what was measured, with the numbers.
        confidence: in [0, 1].
        layer: name of the layer, empty for the whole model.
        numbers: name -> measured value.
        suggestions: instead of the table's, where they depend on what was measured.
        remedies: instead of the table's.

    Returns:
        The finding.

    Raises:
        KeyError: if `name` is not in the table.
    """
    kind = FINDINGS[name]
    return Finding(
        name,
        message,
        kind.meaning,
        tuple(kind.suggestions if suggestions is None else suggestions),
        confidence,
        layer,
        numbers or {},
        tuple(kind.remedies if remedies is None else remedies),
    )
