"""Run trials on this machine, in a worker process that outlives them but is replaced now and then."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from keras_cnn.errors import InputError

# TensorFlow keeps 7-8 MB of every model it ever traced; a new process starts from nothing
TRIALS_PER_WORKER = 20
LOG_TAIL = 1500


class LocalExecutor:
    """One worker process under one MirroredStrategy over `devices`; a context manager.

    The worker starts with the first trial and again after a trial that killed it.
    """

    def __init__(self, devices: int | None = None):
        self._devices = devices
        self._worker: subprocess.Popen | None = None
        self._trials = 0

    def __enter__(self) -> "LocalExecutor":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def close(self) -> None:
        """End the worker, in the middle of a trial too."""
        if self._worker:
            self._worker.kill()
            self._worker.wait()
            self._worker.stdin.close()
            self._worker.stdout.close()
        self._worker, self._trials = None, 0

    def run(self, directory: Path, on_event: Callable[[dict], None]) -> str | None:
        """Run the trial in `directory` to its end; tells each event as it comes.

        Returns None when its metrics.json is written, else how the worker died, with the end of its log.
        Raises InputError if the worker cannot have the devices.
        """
        if self._trials >= TRIALS_PER_WORKER:
            self.close()
        if self._worker is None:
            self._worker = self._start()
        self._trials += 1
        try:
            self._worker.stdin.write(f"{directory.resolve()}\n")
            self._worker.stdin.flush()
        except BrokenPipeError:
            return self._obituary(directory)
        for line in self._worker.stdout:
            event = json.loads(line)
            if event["event"] == "refused":
                raise InputError(event["message"])
            if event["event"] == "done":
                return None
            on_event(event)
        return self._obituary(directory)

    def _start(self) -> subprocess.Popen:
        command = [sys.executable, "-m", "tuning.worker"]
        return subprocess.Popen(
            command + ([str(self._devices)] if self._devices else []),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is the coordinator's to handle
        )

    def _obituary(self, directory: Path) -> str:
        code = self._worker.wait()
        self.close()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        log = directory / "log.txt"
        tail = log.read_text(errors="replace")[-LOG_TAIL:].strip() if log.exists() else ""
        return f"the worker process ended with {how}" + (f"; its log ends:\n{tail}" if tail else "")
