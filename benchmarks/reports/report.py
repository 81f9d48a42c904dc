"""What a rebuilt report is, and the list of all of them."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

Data = tuple[np.ndarray, np.ndarray]
Net = Callable[[], tuple[keras.Model, Data]]


@dataclass(frozen=True)
class Report:
    """One report.

    Args:
        name: of the report.
        causes: names of findings that name its cause, any of which is right.
        source: where it was published; empty for a kind of mistake without a single source.
        broken: makes the net as reported, and its data.
        fixed: makes the corrected net, and its data.
        held_out: whether it is kept for evaluation, and not looked at in development.
    """

    name: str
    causes: tuple[str, ...]
    source: str
    broken: Net
    fixed: Net
    held_out: bool = False

    @property
    def set_name(self) -> str:
        """`held-out`, `development`, or `kinds` for a kind of mistake without a single source."""
        if self.held_out:
            return "held-out"
        return "development" if self.source else "kinds"


REPORTS: dict[str, Report] = {}


def report(*causes: str, source: str = "") -> Callable:
    """Decorates a function of one argument, whether the net is corrected, that returns a net and its data.

    Args:
        causes: names of findings that name the cause, any of which is right.
        source: where the report was published.
    """

    def add(make: Callable[[bool], tuple[keras.Model, Data]]) -> Callable:
        name = make.__name__
        if name in REPORTS:
            raise ValueError(f"two reports are called {name}")
        held_out = ".heldout_" in make.__module__
        REPORTS[name] = Report(name, causes, source, lambda: make(False), lambda: make(True), held_out)
        return make

    return add
