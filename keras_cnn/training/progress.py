"""How far a run is within an epoch: a bar on a terminal, a line now and then elsewhere."""

import logging
import sys
import time

import keras
from rich import progress
from rich.console import Console

logger = logging.getLogger(__name__)

QUIET_SECONDS = 10.0  # without a terminal, a line follows so long a silence


class StepProgress(keras.callbacks.Callback):
    """Shows epoch, step, loss and the time left; `epochs` and `steps` per epoch are those of the whole run.

    A context manager, for the bar to be taken away however the training ends.
    """

    def __init__(self, epochs: int, steps: int, console: Console | None = None):
        super().__init__()
        console = console or Console(file=sys.stderr)
        self._epochs, self._steps, self._epoch = epochs, steps, 0
        self._first: tuple[float, int] | None = None  # when the first execution had ended, and at which step
        self._spoke = time.monotonic()
        self._bar = _bar(console) if console.is_terminal else None
        self._task = self._bar.add_task("", total=steps, text="building the graph") if self._bar else None

    def __enter__(self) -> "StepProgress":
        return self

    def __exit__(self, *error) -> None:
        self.on_train_end()

    def on_train_begin(self, logs=None):
        if self._bar:
            self._bar.start()
        else:
            logger.info("building the graph: the first step takes the longest")

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._spoke = epoch, time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        done, now = self._epoch * self._steps + batch + 1, time.monotonic()
        self._first = self._first or (now, done)
        text = (
            f"epoch {self._epoch + 1}/{self._epochs}, step {batch + 1}/{self._steps}, loss {logs['loss']:.4f}"
        )
        text += self._time_left(now, done)
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=batch + 1, text=text)
        elif now - self._spoke > QUIET_SECONDS:
            logger.info(text)
            self._spoke = now

    def on_test_begin(self, logs=None):
        if self._bar and self._task is not None:
            self._bar.update(self._task, text=f"epoch {self._epoch + 1}/{self._epochs}, validating")

    def on_train_end(self, logs=None):
        if self._bar:
            self._bar.stop()

    def _time_left(self, now: float, done: int) -> str:
        """Without the first execution, in which the graph is built; empty while nothing is known."""
        assert self._first
        started, at = self._first
        if done <= at:
            return ""
        seconds = (now - started) / (done - at) * (self._epochs * self._steps - done)
        return f", {seconds:.0f} s left" if seconds < 120 else f", {seconds / 60:.0f} min left"


def _bar(console: Console) -> progress.Progress:
    """It vanishes when it ends; lines printed meanwhile go above it, unless they are meant for a file."""
    columns = progress.BarColumn(bar_width=30), progress.TextColumn("{task.fields[text]}")
    return progress.Progress(
        *columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty(), redirect_stderr=True
    )
