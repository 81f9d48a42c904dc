"""A worker process: takes requests on standard input and answers on standard output, a JSON object a line.

Requests: {"trial": DIRECTORY} trains the trial in it, {"check": SETTINGS} builds the model of these settings.
Answers: any number of {"event": "epoch", ...}, then {"event": "done"}, or {"event": "refused", "message": ...}
for bad input. What a trial prints goes to log.txt in its directory. When standard input closes, the
coordinator has ended or died, and the worker ends at once.
"""

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TextIO

from keras_cnn.errors import DISK_FULL, InputError, is_disk_full
from keras_cnn.quiet import import_tensorflow

LOG = "log.txt"


def main(devices: int | None, threads: int | None) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    import_tensorflow()
    while True:
        request = json.loads(requests.get())
        try:
            _serve(request, devices, threads, answers)
        except InputError as error:
            _answer(answers, event="refused", message=str(error))
        except OSError as error:
            if not is_disk_full(error):
                raise
            _answer(answers, event="refused", message=DISK_FULL)
        else:
            _answer(answers, event="done")


def _serve(request: dict, devices: int | None, threads: int | None, answers: TextIO) -> None:
    from keras_cnn.training.settings import TrainSettings
    from keras_cnn.training.strategy import get_strategy, limit_threads
    from tuning.trial import check_settings, run_trial

    limit_threads(threads)
    strategy = get_strategy(devices)
    if "check" in request:
        check_settings(TrainSettings.from_dict(request["check"]), strategy)
    else:
        directory = Path(request["trial"])
        _print_to(directory / LOG)
        run_trial(
            directory, strategy, lambda epoch, logs: _answer(answers, event="epoch", epoch=epoch, **logs)
        )


def _read(requests: queue.Queue) -> None:
    for line in sys.stdin:
        requests.put(line.strip())
    os._exit(0)  # from a thread: the main one may be in the middle of a long computation


def _print_to(path: Path) -> None:
    """Send file descriptors 1 and 2, C++ code's too, to the end of `path`."""
    sys.stdout.flush()
    sys.stderr.flush()
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _answer(answers: TextIO, **message) -> None:
    answers.write(json.dumps(message, default=float) + "\n")


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
