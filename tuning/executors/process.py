"""One worker process at a time, replaced now and then: it takes requests, is watched, and may die."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from keras_cnn.errors import InputError
from tuning.config import FAILED, TIMED_OUT

# TensorFlow keeps 7-8 MB of every model it ever traced; a new process starts from nothing
REQUESTS_PER_WORKER = 20
SILENCE_SECONDS = 120.0  # a worker beats every two; one that is silent so long hangs, or the machine does
LOG_TAIL = 1500


class Process:
    """A `tuning.executors.worker` process over `devices` with `threads` threads; it speaks JSON lines."""

    def __init__(self, devices: int | None, threads: int | None, environment: dict[str, str]):
        self.requests_made, self.memory, self.heard = 0, 0, time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tuning.executors.worker", json.dumps([devices, threads])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            # it imports what this process can
            env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,  # Ctrl-C is the coordinator's to handle
        )
        assert self.process.stdin and self.process.stdout
        self.requests, self.answers = self.process.stdin, self.process.stdout

    def send(self, content: dict) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.requests.write(json.dumps(content) + "\n")
            self.requests.flush()

    def request(self, content: dict) -> Iterator[dict]:
        """Send a request; yields its answers until it is done, or until the worker has died.

        Raises InputError if the worker refuses the request: for bad input, or a full disk.
        """
        self.requests_made += 1
        self.heard = time.monotonic()
        self.send(content)
        for line in self.answers:
            if not line.endswith("\n"):  # it died in the middle of it
                return
            self.heard, answer = time.monotonic(), json.loads(line)
            if answer["event"] == "refused":
                raise InputError(answer["message"])
            if answer["event"] == "beat":
                self.memory = answer["memory"]
                continue
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


class Worker:
    """A worker process, started by `prepare` or the first request; replaced when it has died, or answered often enough.

    environment: variables for it beside this process's own.
    """

    def __init__(self, devices: int | None, threads: int | None, environment: dict[str, str] | None = None):
        self._machine = devices, threads, environment or {}
        self._process: Process | None = None
        self._until: float | None = None
        self._verdict: tuple[str, str] | None = None  # state and message, if `watch` has ended it

    def prepare(self) -> Process:
        """The process; started if there is none, so that it has imported TensorFlow when the first request comes."""
        self._process = self._process or Process(*self._machine)
        return self._process

    def ask(self, request: dict, on_answer: Callable[[dict], None], seconds: float | None = None) -> dict:
        """Send a request, wait at most so many seconds; returns the content of the last answer, or the `state` and the
        `message` of how the worker died. InputError if it refuses."""
        if self._process and self._process.requests_made >= REQUESTS_PER_WORKER:
            self.end()
        process = self.prepare()
        self._verdict, self._until = None, None if seconds is None else time.monotonic() + seconds
        for answer in process.request(request):
            if answer["event"] == "done":
                self._until = None
                return answer
            on_answer(answer)
        process.process.wait()
        state, message = self._verdict or (FAILED, _exit_reason(self.end(), request))
        self.end()
        return {"event": "died", "state": state, "message": message}

    def stop(self, directory: Path) -> None:
        """Let the trial in `directory` end after its present epoch, if it is this worker's."""
        if self._process:
            self._process.send({"stop": str(directory.resolve())})

    def watch(self) -> None:
        """Kill the process, which is at work, if its time is up or if it is silent for too long."""
        process, now = self._process, time.monotonic()
        if process is None:
            return
        if self._until is not None and now > self._until:
            self._verdict = TIMED_OUT, "it took longer than it may"
            process.process.kill()
        elif now - process.heard > SILENCE_SECONDS:
            silent = f"its worker gave no sign of life for {SILENCE_SECONDS:.0f} s"
            self._verdict = FAILED, silent
            process.process.kill()

    @property
    def memory(self) -> int:
        return self._process.memory if self._process else 0

    def end(self) -> int:
        code = self._process.end() if self._process else 0
        self._process = None
        return code


def _exit_reason(code: int, request: dict) -> str:
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    how += ", as the kernel ends it when memory runs out" if code == -signal.SIGKILL else ""
    log = Path(request["trial"]) / "log.txt" if "trial" in request else None
    tail = (
        log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:].strip() if log and log.exists() else ""
    )
    return f"the worker process ended with {how}" + (f"\nIts log ends:\n{tail}" if tail else "")
