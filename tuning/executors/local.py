"""Run trials on this machine: a worker process for each place in the layout."""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.training.config import TrainSettings
from tuning.config import TIMED_OUT
from tuning.executors.base import ENDED, EPOCH, Event
from tuning.executors.process import Worker
from tuning.executors.resources import WorkerResources

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
ATTEMPTS = 3


class LocalExecutor:
    """Workers, each of which runs a trial at a time; a context manager. All but one start with their first trial.

    Args:
        resources: of each worker.
        request: what each request has besides its own.
    """

    def __init__(self, resources: Sequence[WorkerResources], request: dict[str, str] | None = None):
        self._request = request or {}
        self._idle = [Worker(place.devices, place.threads, place.environment) for place in resources]
        self._workers = list(self._idle)
        self._running: dict[str, tuple[Worker, Path]] = {}
        self._events: queue.Queue[Event | Exception] = queue.Queue()
        self._over = threading.Event()
        self._messages: set[str] = set()

    @property
    def slots(self) -> int:
        return len(self._workers)

    def __enter__(self) -> "LocalExecutor":
        self._workers[0].prepare()  # its import of TensorFlow takes seconds
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self._over.set()
        for worker in self._workers:
            worker.end()

    def start(self, trial_id: str, directory: Path, timeout: float) -> None:
        worker = self._idle.pop(0)
        self._running[trial_id] = worker, directory
        threading.Thread(target=self._run, args=(trial_id, worker, directory, timeout), daemon=True).start()

    def stop(self, trial_id: str) -> None:
        worker, directory = self._running[trial_id]
        worker.stop(directory)

    def wait(self, seconds: float) -> list[Event]:
        events: list[Event] = []
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._events.get(timeout=0 if events else seconds)
                if isinstance(event, Exception):
                    raise event
                events.append(event)
                if event.kind == ENDED:
                    worker, _ = self._running.pop(event.trial_id)
                    self._idle.insert(0, worker)  # it has TensorFlow loaded; others may not have started
        return events

    def memory(self) -> int:
        return sum(worker.memory for worker in self._workers)

    def facts(self, settings: TrainSettings, download: bool) -> dict:
        return self._ask({"facts": settings.to_dict(), "download": download})["facts"]

    def check(self, settings: TrainSettings) -> None:
        self._ask({"check": settings.to_dict()})

    def space(self, settings: TrainSettings) -> dict:
        return self._ask({"space": settings.to_dict()})

    def export(self, run: Path, destination: Path, formats: Sequence[str]) -> Path:
        request = {"export": str(run), "destination": str(destination), "formats": list(formats)}
        return Path(self._ask(request, lambda answer: logger.info(answer["text"]))["version"])

    def _ask(self, request: dict, on_answer: Callable[[dict], None] = lambda answer: None) -> dict:
        """Have a worker do what can be done again; InputError if every one dies of it."""
        for _ in range(ATTEMPTS):
            answer = self._idle[0].ask({**self._request, **request}, on_answer)
            if answer["event"] != "died":
                return answer
        raise InputError(answer["message"])

    def _run(self, trial_id: str, worker: Worker, directory: Path, timeout: float) -> None:
        def on_answer(answer: dict) -> None:
            if answer["event"] == "message":
                self._log_once(answer["text"])
            else:
                self._events.put(Event(trial_id, EPOCH, answer))

        limit = None if timeout == float("inf") else timeout
        try:
            answer = worker.ask({**self._request, "trial": str(directory.resolve())}, on_answer, limit)
        except Exception as error:  # a refusal, or a pipe that was closed because the search is over
            self._events.put(error)
            return
        if answer["event"] == "done":
            self._events.put(Event(trial_id, ENDED))
            return
        death = {"state": answer["state"], "message": answer["message"]}
        if death["state"] == TIMED_OUT:
            death["message"] = f"it took longer than {timeout:.0f} s"
        self._events.put(Event(trial_id, ENDED, death))

    def _log_once(self, text: str) -> None:
        """Log what a worker has to say; trials of one model say the same."""
        if text not in self._messages:
            self._messages.add(text)
            logger.info(text)

    def _watch(self) -> None:
        while not self._over.wait(WATCH_SECONDS):
            for worker, _ in list(self._running.values()):
                worker.watch()
