"""A progress bar on a terminal's stderr that vanishes when it is done; nothing in a log file."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def track(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    """Yields `items`, of which there are `total`, and shows how far it is."""
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    yield from progress.track(
        items, description, total, console=console, transient=True, disable=not console.is_terminal
    )


def parallel(function: Callable[[Item], Result], items: Sequence[Item], description: str) -> list[Result]:
    """Results in the order of `items`. Threads suffice: Pillow and hashlib let go of the lock while they work."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(track(pool.map(function, items), description, len(items)))
