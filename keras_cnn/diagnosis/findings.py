"""What is wrong with a net: the symptom, the numbers that show it, the cause in words, the cures."""

from dataclasses import dataclass, field

from keras_cnn.diagnosis.suggestions import Suggestion


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    name: of the kind of finding, `softmax_twice`. layer: where, empty for the whole net. numbers: what was measured.
    cures: what to do and what to expect of it, the cheapest first. confidence: in [0, 1], that it keeps the net from
    learning, or makes it learn worse. remedies: names of those of `remedies.REMEDIES` that may cure it, the most
    promising first.
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
        return f"{self.name}{where}: {self.message} {self.cause} Cure: {suggestions}."
