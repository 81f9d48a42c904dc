"""One coordinator a study: a lock that the kernel takes away with its process, however that ends."""

import contextlib
import fcntl
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from keras_cnn.errors import InputError

LOCK = "lock"


@contextlib.contextmanager
def coordinating(directory: Path) -> Iterator[None]:
    """Hold the study in `directory`; InputError if another process does."""
    with (directory / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{directory} is searched by process {_read(file)} already. "
                f"See keras-cnn status {shlex.quote(str(directory))}."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def coordinator(directory: Path) -> str | None:
    """The process that searches in `directory`; None if none does."""
    if not (directory / LOCK).exists():
        return None
    with (directory / LOCK).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file)
    return None


def _read(file) -> str:
    file.seek(0)
    return file.read() or "?"
