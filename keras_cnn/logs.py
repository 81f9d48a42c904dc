"""Where the package's messages go: loggers `keras_cnn` and `tuning`, level INFO, on standard error.

An application changes that through Python's `logging`: `logging.getLogger("keras_cnn").setLevel(logging.WARNING)`, or
`.handlers.clear()` and `.propagate = True` to have the records at its own handlers.
"""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator

NAMES = ("keras_cnn", "tuning")


class _ConsoleHandler(logging.Handler):
    """Prints messages on a standard stream as it is at that moment; warnings say so."""

    stream = "stderr"

    def emit(self, record: logging.LogRecord) -> None:
        prefix = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        print(prefix + record.getMessage(), file=getattr(sys, self.stream), flush=True)


_HANDLER = _ConsoleHandler()


def install() -> None:
    """Show the package's messages; called when the package is imported, once."""
    for name in NAMES:
        logger = logging.getLogger(name)
        if _HANDLER not in logger.handlers:
            logger.addHandler(_HANDLER)
            logger.setLevel(logging.INFO)
            logger.propagate = False  # TensorFlow's absl puts a handler of its own at the root


def print_to(stream: str) -> None:
    """Print messages on `stdout` or `stderr` from now on: what a command line does."""
    _HANDLER.stream = stream


@contextlib.contextmanager
def redirected(write: Callable[[str], None]) -> Iterator[None]:
    """Hand messages to `write` instead: how a worker process sends them to its coordinator."""
    handler = logging.Handler()
    handler.emit = lambda record: write(record.getMessage())  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in NAMES]
    kept = [list(logger.handlers) for logger in loggers]
    for logger in loggers:
        logger.handlers[:] = [handler]
    try:
        yield
    finally:
        for logger, handlers in zip(loggers, kept, strict=True):
            logger.handlers[:] = handlers
