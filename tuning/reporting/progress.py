"""What a person sees while a search runs: a live table on a terminal, plain lines elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import psutil
from rich.console import Console
from rich.errors import LiveError
from rich.live import Live

from keras_cnn.training.tasks import sign_of
from tuning.config import COMPLETED
from tuning.reporting.live import Row, View, line, render

QUIET_SECONDS = 20  # without a terminal, what runs is printed after so long a silence


class Progress:
    """Tells trials as they end, and what runs. A context manager, for the live table to be taken away."""

    def __init__(
        self,
        write: Callable[[str], None] = print,
        title: str = "",
        objective: str = "",
        console: Console | None = None,
    ):
        console = console or Console(file=sys.stderr)
        self._write, self._last_line, self._started = write, time.monotonic(), time.monotonic()
        self._title, self._objective, self._sign = title, objective, sign_of(objective)
        # lines go round the table on a terminal, but not to it if they are meant for a file
        live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=sys.stdout.isatty())
        self._live = live if console.is_terminal else None
        self._rows: dict[str, Row] = {}
        self._states: Counter[str] = Counter()
        self._best: tuple[str, float] | None = None
        self._planned, self._done, self._before = 0, 0, 0.0
        self._process = psutil.Process()

    def __enter__(self) -> "Progress":
        try:
            if self._live:
                self._live.start()
        except LiveError:  # another search of this process has the terminal
            self._live = None
        return self

    def __exit__(self, *error) -> None:
        if self._live:
            self._live.stop()

    def expect(self, epochs: int, seconds: float) -> None:
        """The search has that many epochs to come, and took so many seconds before."""
        self._planned, self._before = epochs, seconds

    def line(self, text: str) -> None:
        self._write(text)
        self._last_line = time.monotonic()

    def begin(self, trial: str, epochs: int, start: int = 0) -> None:
        """A trial begins that trains up to `epochs`, after epoch `start` of an earlier one."""
        self._rows[trial] = Row(trial, epochs, start, start=start)

    def epoch(self, trial: str, epoch: int, value: float, seconds: float) -> None:
        before = self._rows[trial].best
        best = value if before is None or self._sign * value > self._sign * before else before
        self._rows[trial] = replace(self._rows[trial], epoch=epoch, value=value, best=best, seconds=seconds)

    def end(self, trial: str, metrics: dict, epochs: int) -> None:
        """A trial has ended, with these metrics, that stood for so many of the expected epochs."""
        self._rows.pop(trial, None)
        self.count(metrics["state"], trial, metrics.get("score"))
        self._done += epochs
        if metrics["state"] != COMPLETED:
            self.line(f"trial {trial}: {metrics['state']}: {metrics['message'].splitlines()[0]}")
            return
        assert self._best, "this one at least"
        pruned = f", ended early: {metrics['pruned']}" if metrics.get("pruned") else ""
        self.line(
            f"trial {trial}: {self._objective} {metrics['score']:.4f} in epoch {metrics['best_epoch']}, "
            f"{metrics['parameters']:,} parameters, {metrics['seconds']:.1f} s{pruned}  "
            f"(best: {self._best[1]:.4f}, trial {self._best[0]})"
        )

    def count(self, state: str, trial: str, score: float | None) -> None:
        """Take up a trial that has ended, in this session or an earlier one."""
        self._states[state] += 1
        if score is not None and (self._best is None or self._sign * score > self._sign * self._best[1]):
            self._best = trial, score

    def show(self, workers: int) -> None:
        """Show what runs: at once on a terminal, now and then elsewhere. workers: the bytes they hold."""
        if self._live:
            self._live.update(render(self.view(workers)), refresh=True)
        elif time.monotonic() - self._last_line > QUIET_SECONDS and self._rows:
            self.line(line(self.view(workers)))

    def view(self, workers: int) -> View:
        passed = time.monotonic() - self._started
        underway = sum(row.epoch - row.start for row in self._rows.values())
        done = self._done + underway
        left = passed / done * max(0, self._planned - done) if done and self._planned else None
        return View(
            title=self._title,
            objective=self._objective,
            rows=list(self._rows.values()),
            states=self._states,
            best=self._best,
            seconds=self._before + passed,
            left=left,
            memory=workers + self._process.memory_info().rss,
        )
