"""A progress bar on a terminal's stderr that vanishes when it is done; nothing in a log file."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def track(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    """Yields `items`, of which there are `total`, and shows how far it is."""
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    yield from progress.track(
        items, description, total, console=console, transient=True, disable=not console.is_terminal
    )
