"""Directories of results: claimed by one process, and held as long as it writes to them.

The lock is the kernel's, so it goes with its process, however that ends.
"""

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from keras_cnn.errors import InputError
from keras_cnn.files import sweep

LOCK = "lock"
RUNS = Path("runs")
PATIENCE_SECONDS = 0.5  # `owner` of another process holds the lock for an instant


@contextlib.contextmanager
def claim(wanted: Path | None, stem: str, result: str | None) -> Iterator[Path]:
    """Make a directory for a new result and hold it; if nothing is written because of an error, it is removed again.

    Args:
        wanted: the directory; None for the first free `runs/STEM-N`.
        stem: of that name.
        result: the file that a directory with a result holds; None if what it holds continues.

    Raises:
        InputError: if `wanted` holds a result, or another process holds `wanted`.
    """
    if wanted and result:
        _refuse_existing(wanted, result)  # without a trace in it
    missing = [path for path in ([wanted, *wanted.parents] if wanted else [RUNS]) if not path.exists()]
    directory = wanted or _next_free(stem)
    with held(directory):
        try:
            if result:
                _refuse_existing(directory, result)
            yield directory
        except BaseException:
            if list(directory.iterdir()) == [directory / LOCK]:
                (directory / LOCK).unlink()
                _remove_empty([directory, *missing])
            raise


def _refuse_existing(directory: Path, result: str) -> None:
    if (directory / result).exists():
        raise InputError(
            f"{directory} already contains a {result}: choose another --directory, or continue what is in it "
            "(keras-cnn train --resume of a run, keras-cnn resume of a study)."
        )


def _remove_empty(directories: list[Path]) -> None:
    """Remove each, the inner ones first, until one is in use."""
    with contextlib.suppress(OSError):
        for directory in dict.fromkeys(directories):
            directory.rmdir()


@contextlib.contextmanager
def held(directory: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold `directory`, which is made if it is missing; what a killed process left half-written in it is deleted.

    Args:
        directory: where this process writes.
        wait: wait for another process that holds it, instead of raising.

    Raises:
        InputError: if another process holds it.
    """
    with _locked(directory / LOCK, wait) as file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        sweep(directory)
        yield


@contextlib.contextmanager
def _locked(path: Path, wait: bool) -> Iterator[IO[str]]:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _open(path) as file:
            if wait:
                fcntl.flock(file, fcntl.LOCK_EX)
            elif not _taken(file):
                raise InputError(
                    f"{path.parent} is in use by process {_read(file)}: wait for it to end, or choose another "
                    "--directory."
                )
            if _is_at(path, file):
                yield file
                return


def _open(path: Path) -> IO[str]:
    """The lock file for writing; not through a link, which would have another file emptied."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError:
        if not path.is_symlink():
            raise
        raise _no_lock(path) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_lock(path)
    return os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace")


def _no_lock(path: Path) -> InputError:
    return InputError(f"{path} must be a regular file, which says what process writes there: delete it.")


def _is_at(path: Path, file: IO[str]) -> bool:
    """False if the process that held the lock before has removed it, with its directory."""
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def owner(directory: Path) -> str | None:
    """The process that holds `directory`; None if none does."""
    if not (directory / LOCK).is_file():
        return None
    with (directory / LOCK).open(encoding="utf-8", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file)
    return None


def data_stem(data: str) -> str:
    """A file name for a data set: `folder:/photos/cats` -> `cats`, `emnist/letters` -> `emnist-letters`."""
    name = Path(data.partition(":")[2]).resolve().name if data.startswith(("folder:", "pairs:")) else data
    return name.replace("/", "-").replace(":", "-")


def _next_free(stem: str) -> Path:
    """The first `runs/STEM-N` that did not exist: who makes it has it."""
    number = 1
    while True:
        directory = RUNS / f"{stem}-{number}"
        with contextlib.suppress(FileExistsError):
            RUNS.mkdir(exist_ok=True)
            directory.mkdir()
            return directory
        number += 1


def _taken(file) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.02)


def _read(file) -> str:
    file.seek(0)
    return file.read() or "?"
