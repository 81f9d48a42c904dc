"""Diagnosis: the verdict on a net and everything it rests on."""

import math
from dataclasses import asdict, dataclass, field

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.layer_signals import Signals
from keras_cnn.diagnosis.probe.decision import SUFFICIENT_SCORE
from keras_cnn.diagnosis.probe.probe import Trace


@dataclass(frozen=True)
class Diagnosis:
    """verdict: a name of `rules`. rates: at which it trains, the best first. findings: the likeliest cause first.

    rate: the net's own. chance: loss of a net that has learnt nothing, in nats. linear: share of the entropy of the
    classes that a linear classifier tells, NaN if unknown; asked: that the net must tell. signals, traces, overfit:
    what was measured, None or empty where a level was left out. seconds: by level.
    """

    verdict: str
    rate: float
    rates: tuple[float, ...]
    findings: list[Finding]
    chance: float = math.nan
    images: int = 0
    linear_baseline_score: float = math.nan
    required_score: float = SUFFICIENT_SCORE
    signals: Signals | None = None
    traces: list[Trace] = field(default_factory=list)
    overfit: Trace | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def null_score_p999(self) -> float:
        """The share that outputs which know nothing tell of these images once in a thousand times; of all traces the
        same."""
        return self.traces[0].null_score_p999 if self.traces else 0.0

    @property
    def remedies(self) -> tuple[str, ...]:
        """Names of remedies, as `repair` takes them, the most promising first."""
        return tuple(dict.fromkeys(name for finding in self.findings for name in finding.remedies))

    def to_dict(self) -> dict:
        return asdict(self) | {"remedies": self.remedies}
