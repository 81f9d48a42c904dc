"""A worker process: reads trial directories from standard input, one a line, and runs them.

Answers on standard output with one JSON object a line: {"event": "ready" | "refused" | "epoch" | "done", ...}.
What a trial prints goes to log.txt in its directory. When standard input closes, the coordinator has
ended or died, and the worker ends at once.
"""

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TextIO

from keras_cnn.errors import InputError
from keras_cnn.quiet import import_tensorflow

LOG = "log.txt"


def main(devices: int | None) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    import_tensorflow()
    from keras_cnn.training.strategy import get_strategy
    from tuning.trial import run_trial

    try:
        strategy = get_strategy(devices)
    except InputError as error:
        return _answer(answers, event="refused", message=str(error))
    _answer(answers, event="ready", replicas=strategy.num_replicas_in_sync)
    while True:
        directory = Path(requests.get())
        _print_to(directory / LOG)
        metrics = run_trial(
            directory, strategy, lambda epoch, logs: _answer(answers, event="epoch", epoch=epoch, **logs)
        )
        _answer(answers, event="done", state=metrics["state"])


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
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
