"""Run trials on this machine, in a worker process that outlives them but is replaced now and then."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.training.settings import TrainSettings
from tuning.settings import FAILED, TIMED_OUT

# TensorFlow keeps 7-8 MB of every model it ever traced; a new process starts from nothing
REQUESTS_PER_WORKER = 20
LOG_TAIL = 1500


class Worker:
    """A `tuning.worker` process over `devices`, in `threads`. It takes requests and gives answers, a line each."""

    def __init__(self, devices: int | None, threads: int | None):
        self.requests_made = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tuning.worker", json.dumps([devices, threads])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},  # it imports what this process can
            start_new_session=True,  # Ctrl-C is the coordinator's to handle
        )
        assert self.process.stdin and self.process.stdout
        self.requests, self.answers = self.process.stdin, self.process.stdout

    def request(self, content: dict) -> Iterator[dict]:
        """Send a request; yields its answers until it is done, or until the worker has died.

        Raises InputError if the worker refuses the request: for bad input, or a full disk.
        """
        self.requests_made += 1
        with contextlib.suppress(BrokenPipeError):
            self.requests.write(json.dumps(content) + "\n")
            self.requests.flush()
        for line in self.answers:
            answer = json.loads(line)
            if answer["event"] == "refused":
                raise InputError(answer["message"])
            yield answer
            if answer["event"] == "done":
                return

    def end(self) -> int:
        """Kill it, in the middle of a trial too; returns its exit code, or minus the signal that ended it."""
        if self.process.poll() is None:
            self.process.kill()
        code = self.process.wait()
        self.answers.close()
        with contextlib.suppress(BrokenPipeError):
            self.requests.close()
        return code


class LocalExecutor:
    """One worker at a time; a context manager.

    The worker starts with the first trial, and again after `REQUESTS_PER_WORKER` or one that killed it.
    """

    def __init__(self, devices: int | None = None, threads: int | None = None):
        self._machine = devices, threads
        self._worker: Worker | None = None

    def __enter__(self) -> "LocalExecutor":
        return self

    def __exit__(self, *error) -> None:
        self._end_worker()

    def run(
        self, directory: Path, on_epoch: Callable[[dict], None], timeout: float = math.inf
    ) -> dict | None:
        """Run the trial in `directory` to its end, or for `timeout` seconds; tells each epoch as it comes.

        Returns None when its metrics.json is written, else the state and the message of a trial whose worker has died,
        with the end of its log. Raises InputError if the worker cannot have the devices.
        """
        request, log = {"trial": str(directory.resolve())}, directory / "log.txt"
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            if self._worker:
                self._worker.process.kill()

        timer = threading.Timer(min(timeout, threading.TIMEOUT_MAX), expire)
        timer.daemon = True
        timer.start()
        try:
            death = self._ask(request, on_epoch, log)
        finally:
            timer.cancel()
        if death and expired.is_set():
            return {"state": TIMED_OUT, "message": f"it took longer than {timeout:.0f} s"}
        return {"state": FAILED, "message": death} if death else None

    def check(self, settings: TrainSettings) -> None:
        """Raise InputError if trials of these settings could not start here; nothing is written."""
        death = self._ask({"check": settings.to_dict()}, lambda epoch: None, None)
        if death:
            raise RuntimeError(death)

    def _ask(self, request: dict, on_epoch: Callable[[dict], None], log: Path | None) -> str | None:
        if self._worker and self._worker.requests_made >= REQUESTS_PER_WORKER:
            self._end_worker()
        self._worker = worker = self._worker or Worker(*self._machine)
        for answer in worker.request(request):
            if answer["event"] == "done":
                return None
            on_epoch(answer)
        worker.process.wait()
        return _obituary(self._end_worker(), log)

    def _end_worker(self) -> int:
        code = self._worker.end() if self._worker else 0
        self._worker = None
        return code


def _obituary(code: int, log: Path | None) -> str:
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    how += ", as the kernel ends it when memory runs out" if code == -signal.SIGKILL else ""
    tail = log.read_text(errors="replace")[-LOG_TAIL:].strip() if log and log.exists() else ""
    return f"the worker process ended with {how}" + (f"; its log ends:\n{tail}" if tail else "")
