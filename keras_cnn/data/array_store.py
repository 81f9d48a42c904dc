"""Arrays for decoded images: in memory while they fit, else in a file that is removed with the process."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

SHARE = 0.5  # of the memory that is free, for one array: another split and the training need some too
CHUNK = 1 << 26  # bytes copied at a time


def empty(shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> np.ndarray:
    """An uninitialized array of `shape`; on disk (in TMPDIR) if it needs more than half of the free memory.

    The file has no name, so that nothing stays behind, however the process ends. Raises OSError if the disk has
    no room for it.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size <= SHARE * free_memory():
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile() as file:
        # reserved at once: a sparse file on a full disk would kill the process while it is written
        os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, dtype, "r+", shape=shape)  # type: ignore[call-overload]


def take(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`images[rows]`, like `empty` on disk if it does not fit into memory; `images` itself if that is all of them."""
    if np.array_equal(rows, np.arange(len(images))):
        return images
    return join([(images, rows)])


def join(pieces: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """`array[rows]` of each (array, rows) in `pieces`, one after the other, like `empty` on disk where necessary."""
    source = pieces[0][0]
    joined = empty((sum(len(rows) for _, rows in pieces), *source.shape[1:]), source.dtype)
    step, place = max(1, CHUNK // max(1, source[:1].nbytes)), 0
    for array, rows in pieces:
        for start in range(0, len(rows), step):
            chunk = rows[start : start + step]
            joined[place : place + len(chunk)] = array[chunk]
            place += len(chunk)
    return joined


def free_memory() -> float:
    """Bytes that this process may still take: what the machine has free, or less where a container limits it."""
    return min(_machine(), _container())


def _machine() -> float:
    try:
        lines = dict(
            line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        )
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        return float("inf")  # not Linux: its own paging decides


def _container() -> float:
    """The limit of a version 2 control group less what it uses; infinite where there is none."""
    group = Path("/sys/fs/cgroup")
    try:
        return int((group / "memory.max").read_text(encoding="ascii")) - int(
            (group / "memory.current").read_text(encoding="ascii")
        )
    except (OSError, ValueError):  # ValueError: "max", no limit
        return float("inf")
