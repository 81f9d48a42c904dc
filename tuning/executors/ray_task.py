"""What a node of a Ray cluster does with a trial: train it in a local folder and send back the files that change.

The study's directory stays with the coordinator, so nodes share no disk with it. They load the data by its name.
"""

import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from keras_cnn.errors import DISK_FULL, InputError, is_disk_full

EVENTS = "events.out"  # TensorBoard's files only grow: what is new of them is sent
Files = dict[str, tuple[int, bytes]]  # relative path -> (where to write it: 0 replaces the file, content)


class Changes:
    """Files below `root` that have changed since the last call."""

    def __init__(self, root: Path):
        self._root = root
        self._seen: dict[Path, tuple[int, int]] = {}
        self.take()

    def take(self) -> Files:
        files = {}
        for path in sorted(self._root.rglob("*")):
            if not path.is_file() or path.name.startswith("."):
                continue
            state, before = path.stat(), self._seen.get(path, (0, 0))
            now = state.st_size, state.st_mtime_ns
            if now != before:
                offset = before[0] if path.name.startswith(EVENTS) else 0
                content = path.read_bytes()
                files[str(path.relative_to(self._root))] = offset, content[offset:]
                self._seen[path] = len(content), state.st_mtime_ns
        return files


def write_files(root: Path, files: Files) -> None:
    """Lay what a node has sent into `root`, each file whole or not at all."""
    from keras_cnn.files import write_file

    for name, (offset, content) in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if offset:
            with path.open("ab") as file:
                file.truncate(offset)
                file.write(content)
        else:
            write_file(path, lambda temporary_path, content=content: temporary_path.write_bytes(content))  # type: ignore[misc]


def train(
    directory: str,
    files: Files,
    devices: int | None,
    threads: int | None,
    is_stopped: Callable[[], bool],
) -> Iterator[tuple[dict, Files]]:
    """Train the trial whose files these are, in `directory` below a temporary folder.

    Yields each epoch's metrics, or at the end {"event": "done"} or {"event": "refused", "message": ...}, each with the
    files that have changed. is_stopped: called after each epoch; True ends the trial.
    """
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        root = Path(folder)
        write_files(root, files)
        changes = Changes(root)
        answers: queue.Queue = queue.Queue()
        task = threading.Thread(
            target=_run, args=(root / directory, devices, threads, is_stopped, answers), daemon=True
        )
        task.start()
        while True:
            answer = answers.get()
            if isinstance(answer, BaseException):
                raise answer
            yield answer, changes.take()
            if answer["event"] != "epoch":
                return


def _run(
    directory: Path, devices: int | None, threads: int | None, is_stopped: Callable[[], bool], answers
) -> None:
    import psutil

    from keras_cnn.tensorflow_import import OPTIONAL
    from tuning.keras_tuner_import import import_tuner

    def report(epoch: int, logs: dict) -> bool:
        numbers = {name: float(value) for name, value in logs.items()}
        memory = psutil.Process(os.getpid()).memory_info().rss
        answers.put({"event": "epoch", "epoch": epoch, "memory": memory, **numbers})
        return is_stopped()

    try:
        import_tuner(hidden=OPTIONAL)
        from keras_cnn.training.strategy import get_strategy, limit_threads
        from tuning.executors.trial import run_trial

        limit_threads(threads)
        run_trial(directory, get_strategy(devices), report)
        answers.put({"event": "done"})
    except InputError as error:
        answers.put({"event": "refused", "message": str(error)})
    except BaseException as error:
        full = is_disk_full(error)
        answers.put({"event": "refused", "message": DISK_FULL} if full else error)
