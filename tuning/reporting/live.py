"""How far a search is, as a person sees it: a table on a terminal, a line in a log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Row:
    """A trial that runs: `epoch` of `epochs` has ended, it began after epoch `start`; its last value of the objective,
    the best, and the seconds that an epoch takes."""

    trial: str
    epochs: int
    epoch: int = 0
    value: float | None = None
    best: float | None = None
    seconds: float | None = None
    start: int = 0

    @property
    def left(self) -> float | None:
        """Seconds to its end."""
        return None if self.seconds is None else self.seconds * (self.epochs - self.epoch)


@dataclass(frozen=True)
class View:
    """states: how many trials ended how. best: (trial, score). seconds: of searching so far; left: until it ends, None
    if that cannot be told. memory: bytes of all processes."""

    title: str
    objective: str
    rows: Sequence[Row]
    states: Mapping[str, int]
    best: tuple[str, float] | None
    seconds: float
    left: float | None
    memory: int


def render(view: View) -> Group:
    """What is searched, the running trials in rows, and the rest of it below."""
    return Group(Text(view.title), *([_table(view)] if view.rows else []), Text(summary(view)))


def _table(view: View) -> Table:
    result = Table()
    for name in ("trial", "epoch", view.objective, "best", "s/epoch", "left"):
        result.add_column(name, justify="right")
    for row in view.rows:
        result.add_row(
            row.trial,
            f"{row.epoch}/{row.epochs}",
            _number(row.value),
            _number(row.best),
            "" if row.seconds is None else f"{row.seconds:.1f}",
            duration(row.left),
        )
    return result


def line(view: View) -> str:
    """All of it in one line."""
    running = "; ".join(
        f"trial {row.trial}: epoch {row.epoch}/{row.epochs}"
        + (f", {view.objective} {row.value:.4f}" if row.value is not None else "")
        for row in view.rows
    )
    return f"{running}; {summary(view)}"


def summary(view: View) -> str:
    """States, the best trial, time and memory."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(view.states.items())) or "none has ended"
    parts = [f"trials: {states}"]
    if view.best:
        parts.append(f"best: trial {view.best[0]}, {view.objective} {view.best[1]:.4f}")
    parts.append(
        duration(view.seconds) + (f", about {duration(view.left)} left" if view.left is not None else "")
    )
    parts.append(f"{view.memory / 1e9:.1f} GB")
    return " · ".join(parts)


def duration(seconds: float | None) -> str:
    """`45 s`, `12 min`, `3 h 05`; empty for None."""
    if seconds is None:
        return ""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
