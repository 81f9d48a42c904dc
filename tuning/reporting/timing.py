"""When trials ran, without the pauses between the sessions of a search."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from tuning.reporting.trial_data import TrialData

PAUSE_SECONDS = (
    60.0  # without a trial, from which on a gap is a pause; between two trials a worker needs a few
)


def busy_minutes(data: TrialData) -> dict[str, tuple[float, float]] | None:
    """Trial -> minutes at which it began and ended, of all that have ended; None where a completed one's is not known.

    Pauses of the whole search are left out.
    """
    ends = {trial: metrics.get("ended") for trial, metrics in data.metrics.items()}
    if any(ends[name] is None for name in data.names):
        return None
    spans = {
        trial: (end - data.metrics[trial].get("seconds", 0.0), end) for trial, end in ends.items() if end
    }
    return without_pauses(spans)


def without_pauses(spans: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Seconds since the epoch -> minutes since the first start, less the gaps in which nothing ran."""
    ordered = sorted(spans.values())
    reached = list(accumulate((end for _, end in ordered), max))
    gaps = [
        (start, start - before)
        for (start, _), before in zip(ordered[1:], reached, strict=False)
        if start - before > PAUSE_SECONDS
    ]
    first = ordered[0][0] if ordered else 0.0

    def minutes(moment: float) -> float:
        return (moment - first - sum(length for start, length in gaps if start <= moment)) / 60

    return {name: (minutes(start), minutes(end)) for name, (start, end) in spans.items()}


def lanes(spans: Iterable[Sequence[float]]) -> list[int]:
    """A lane for each (start, end), from 0: the first in which nothing else runs then, as few as possible."""
    free: list[float] = []  # when the last one of each lane ends
    found = {}
    for place, (start, end) in sorted(enumerate(spans), key=lambda one: (one[1][0], one[1][1])):
        lane = next((number for number, until in enumerate(free) if until <= start + 1e-3), len(free))
        free[lane : lane + 1] = [end]
        found[place] = lane
    return [found[place] for place in range(len(found))]
