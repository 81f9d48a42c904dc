"""What a person sees while a search runs: a live line on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.status import Status

QUIET_SECONDS = 20  # elsewhere than on a terminal, an epoch is told when nothing was for so long


class Progress:
    """Tells trials and epochs as they end. A context manager, for the live line to be taken away."""

    def __init__(self, say: Callable[[str], None] = print):
        self._say, self._told = say, time.monotonic()
        self._status = Status("", console=Console(file=sys.stderr)) if sys.stderr.isatty() else None

    def __enter__(self) -> "Progress":
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *error) -> None:
        if self._status:
            self._status.stop()

    def line(self, text: str) -> None:
        self._say(text)
        self._told = time.monotonic()

    def running(self, text: str) -> None:
        """Something goes on: shown at once on a terminal, now and then elsewhere."""
        if self._status:
            self._status.update(text)
        elif time.monotonic() - self._told > QUIET_SECONDS:
            self.line(text)
