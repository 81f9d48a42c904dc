"""A worker process: takes requests on standard input and answers on standard output, a JSON object a line.

Requests: {"trial": DIRECTORY} trains the trial in it, and with "program": FILE that of a user's tuner;
{"stop": DIRECTORY} makes that trial's present epoch its last;
{"facts": SETTINGS, "download": ...} answers what their data are; {"check": SETTINGS} builds the model of these
settings; {"space": SETTINGS} answers what hyperparameters a user's build(hp) declares;
{"export": RUN, "destination": ..., "formats": [...]} exports it.
With "inputs": FILE, function and data of the search are those in it.
Answers: any number of {"event": "epoch", ...} or {"event": "message", "text": ...}, then {"event": "done", ...}, or
{"event": "refused", "message": ...} for bad input; all along {"event": "beat", "memory": BYTES}. What a trial prints
goes to log.txt in its directory. When standard input closes, the coordinator has ended or died, and the worker ends at
once.
"""

import json
import os
import queue
import sys
import threading
import time
from pathlib import Path

import psutil

from keras_cnn.errors import InputError, refusal
from keras_cnn.logs import redirected
from keras_cnn.tensorflow_import import OPTIONAL
from tuning.keras_tuner_import import import_tuner

LOG = "log.txt"
BEAT_SECONDS = 2


class CoordinatorChannel:
    """The line to the coordinator, as `tuning.executors.process` speaks it."""

    def __init__(self):
        self._answers = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)  # what anything prints is no answer
        self._writing = threading.Lock()  # beats come from a thread of their own
        self._requests: queue.Queue[dict] = queue.Queue()
        self._stopped: str | None = None
        for task in (self._read, self._beat):
            threading.Thread(target=task, daemon=True).start()

    def next(self) -> dict:
        """The next request; waits for it."""
        return self._requests.get()

    def answer(self, event: str, **message) -> None:
        with self._writing:
            self._answers.write(json.dumps({"event": event, **message}, default=float) + "\n")

    def is_stopped(self, directory: str) -> bool:
        return self._stopped == directory

    def _read(self) -> None:
        for line in sys.stdin:
            request = json.loads(line)
            if "stop" in request:
                self._stopped = request["stop"]
            else:
                self._requests.put(request)
        os._exit(0)  # from a thread: the main one may be in the middle of a long computation

    def _beat(self) -> None:
        process = psutil.Process()
        while True:
            self.answer("beat", memory=process.memory_info().rss)
            time.sleep(BEAT_SECONDS)


def main(devices: int | None, threads: int | None) -> None:
    channel = CoordinatorChannel()
    import_tuner(hidden=OPTIONAL)
    while True:
        request = channel.next()
        try:
            result = serve(request, devices, threads, channel)
        except InputError as error:
            channel.answer("refused", message=str(error))
        except Exception as error:
            message = refusal(error)
            if message is None:
                raise
            channel.answer("refused", message=message)
        else:
            channel.answer("done", **result)


def serve(request: dict, devices: int | None, threads: int | None, channel: CoordinatorChannel) -> dict:
    """Handle a request; returns the content of the last answer."""
    from keras_cnn.training.config import TrainSettings
    from keras_cnn.training.strategy import get_strategy, limit_threads
    from tuning.executors import trial
    from tuning.executors.inputs import use_inputs
    from tuning.executors.own_trial import space_of_build

    limit_threads(threads)
    if "inputs" in request:
        use_inputs(Path(request["inputs"]))
    if "facts" in request:
        return {"facts": trial.load_facts(TrainSettings.from_dict(request["facts"]), request["download"])}
    if "export" in request:
        return _export(request, channel)
    strategy = get_strategy(devices)
    if "check" in request:
        trial.check_settings(TrainSettings.from_dict(request["check"]), strategy)
        return {}
    if "space" in request:
        settings = TrainSettings.from_dict(request["space"])
        return space_of_build(settings, trial.load_data(settings), strategy)
    _print_to(Path(request["trial"]) / LOG)

    def report(epoch: int, logs: dict) -> bool:
        channel.answer("epoch", epoch=epoch, **logs)
        return channel.is_stopped(request["trial"])

    if "program" in request:
        from tuning.tuners.trial import run_user_trial

        mirrored = None if devices is None else strategy
        with redirected(lambda text: channel.answer("message", text=text)):
            run_user_trial(Path(request["program"]), Path(request["trial"]), mirrored, report)
    else:
        trial.run_trial(Path(request["trial"]), strategy, report)
    return {}


def _export(request: dict, channel: CoordinatorChannel) -> dict:
    from keras_cnn.serving.export import export_run
    from keras_cnn.training.run_directory import TEST, chosen_run, read_run
    from tuning.executors.trial import load_data

    with redirected(lambda text: channel.answer("message", text=text)):
        run = chosen_run(Path(request["export"]))
        # in memory, where this worker has trained; a test measurement is made once
        needed = request["formats"] or not (run / TEST).exists()
        data = load_data(read_run(run).settings) if needed else None
        version = export_run(run, Path(request["destination"]), formats=request["formats"], data=data)
    return {"version": str(version)}


def _print_to(path: Path) -> None:
    """Send file descriptors 1 and 2, C++ code's too, to the end of `path`; InputError if that is no regular file."""
    if path.is_symlink() or (path.exists() and not path.is_file()):  # opening a pipe would never end
        raise InputError(f"{path} must be a regular file, for what the trial prints: delete it.")
    sys.stdout.flush()
    sys.stderr.flush()
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
