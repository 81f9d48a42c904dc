"""Diagnosis: the verdict on a model and everything it is based on."""

import math
from dataclasses import asdict, dataclass, field
from html import escape

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.layer_signals import Signals
from keras_cnn.diagnosis.probe.decision import SUFFICIENT_SCORE
from keras_cnn.diagnosis.probe.trace import Trace

REPR_FINDINGS = 3  # that a repr shows


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """The result of `diagnose`.

    Args:
        verdict: healthy, learning-rate-dependent, untrainable, or undecided if the time was too short.
        rate: learning rate that the model is compiled with.
        rates: learning rates at which it learns, the best first; empty if untrainable.
        findings: what is wrong, the likeliest cause first.
        chance: loss of a model that predicts the class frequencies, in nats; NaN if not measured.
        uniform: loss of a model that gives all classes equal logits, in nats; NaN if not measured.
        images: number of images it was diagnosed with.
        linear_baseline_score: score of ridge regression on 8x8 images, in [0, 1]; NaN if unknown.
        required_score: score at which a model counts as learning, in [0, 1].
        signals: of one batch before training; None if not measured.
        traces: probe runs, that at `rate` first; empty if not probed.
        overfit: training on one batch of 16 images; None if not probed.
        seconds: level -> time it took.
    """

    verdict: str
    rate: float
    rates: tuple[float, ...]
    findings: list[Finding]
    chance: float = math.nan
    uniform: float = math.nan
    images: int = 0
    linear_baseline_score: float = math.nan
    required_score: float = SUFFICIENT_SCORE
    signals: Signals | None = None
    traces: list[Trace] = field(default_factory=list)
    overfit: Trace | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def null_score_p999(self) -> float:
        """99.9th percentile of the score of uninformative outputs on these images; 0 if not probed."""
        return self.traces[0].null_score_p999 if self.traces else 0.0

    @property
    def remedies(self) -> tuple[str, ...]:
        """Names of remedies, as `repair` takes them, the most promising first."""
        return tuple(dict.fromkeys(name for finding in self.findings for name in finding.remedies))

    def to_dict(self) -> dict:
        """All fields and the remedies, as JSON takes them."""
        return asdict(self) | {"remedies": self.remedies}

    def _summary(self) -> list[tuple[str, str]]:
        """(name, value) of what a repr shows."""
        rates = ", ".join(f"{rate:.1e}" for rate in self.rates) or "none"
        rows = [
            ("verdict", self.verdict),
            ("learning rate", f"{self.rate:.1e}"),
            ("learns at", rates),
            ("images", str(self.images)),
        ]
        for number, finding in enumerate(self.findings[:REPR_FINDINGS], start=1):
            where = f" in {finding.layer}" if finding.layer else ""
            text = f"{finding.name}{where} (confidence {finding.confidence:.2f}): {finding.message}"
            rows.append((f"finding {number}", text))
        more = len(self.findings) - REPR_FINDINGS
        return [*rows, ("findings", f"{more} more")] if more > 0 else rows

    def __repr__(self) -> str:
        return "\n".join(["Diagnosis", *(f"  {name}: {value}" for name, value in self._summary())])

    def _repr_html_(self) -> str:
        return html_table("Diagnosis", self._summary())


def html_table(title: str, rows: list[tuple[str, str]]) -> str:
    """A table of two columns for notebooks.

    Args:
        title: its caption, escaped here like all text.
        rows: (name, value) of each row.
    """
    cells = "".join(
        f'<tr><th style="text-align: left">{escape(name)}</th><td style="text-align: left">{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f"<table><caption>{escape(title)}</caption>{cells}</table>"
