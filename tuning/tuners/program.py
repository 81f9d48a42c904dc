"""A user's tuner and the arguments of its search as a file, from which worker processes build them again.

Functions of a script, of a notebook and closures go by value (cloudpickle), modules by name. Large arrays go to files
of their own, which all workers map into memory: one copy for all of them.
"""

import functools
import inspect
import io
import logging
import os
import pickle
import shutil
import tempfile
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from keras_cnn.errors import in_one_line
from keras_cnn.files import lives

logger = logging.getLogger(__name__)

PROGRAM = "program.pkl"
PREFIX = "keras-cnn-"
ADVICE = (
    "Give data as arrays, as a keras.utils.PyDataset, or as a function without arguments that returns them, for "
    "workers to use them"
)
LARGE_BYTES = 1_000_000  # of an array with a file of its own


class NotPortable(Exception):
    """Why a search cannot run in other processes."""


class _Pickler(cloudpickle.CloudPickler):
    def __init__(self, file: io.BytesIO, folder: Path):
        super().__init__(file)
        self._folder = folder
        self._files: dict[int, str] = {}

    def persistent_id(self, obj: Any) -> str | None:
        """The file of a large array, which is written once however often it is referred to."""
        if type(obj) is not np.ndarray or obj.nbytes < LARGE_BYTES or obj.dtype.hasobject:
            return None
        if id(obj) not in self._files:
            name = f"array-{len(self._files)}.npy"
            np.save(self._folder / name, obj)
            self._files[id(obj)] = name
        return self._files[id(obj)]


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, folder: Path):
        super().__init__(file)
        self._folder = folder
        self._arrays: dict[str, np.ndarray] = {}

    def persistent_load(self, pid: str) -> np.ndarray:
        if pid not in self._arrays:  # "c": what a program writes into its arrays stays its own
            self._arrays[pid] = np.load(self._folder / pid, mmap_mode="c").view(np.ndarray)
        return self._arrays[pid]


class Program:
    """What workers need of a search, in a temporary folder; a context manager that deletes it.

    Args:
        content: any objects.

    Raises:
        NotPortable: if they cannot leave this process; the message names the cause.
    """

    def __init__(self, content: Any):
        _sweep(Path(tempfile.gettempdir()))
        self._folder = tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-")
        self.path = Path(self._folder.name) / PROGRAM
        file = io.BytesIO()
        try:
            _Pickler(file, self.path.parent).dump(content)
        except Exception as error:  # whatever an object's own __reduce__ raises
            self._folder.cleanup()
            if isinstance(error, OSError):
                raise
            raise NotPortable(f"{in_one_line(error).rstrip('.')}. {ADVICE}") from error
        self.path.write_bytes(file.getbuffer())

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *error) -> None:
        self._folder.cleanup()


def _sweep(folder: Path) -> None:
    """Delete what killed processes of this machine have left."""
    for path in folder.glob(f"{PREFIX}*-*"):
        process = path.name.removeprefix(PREFIX).partition("-")[0]
        if process.isdigit() and not lives(int(process)):
            shutil.rmtree(path, ignore_errors=True)


@functools.lru_cache(maxsize=1)
def load_program(path: Path) -> Any:
    """The content of a `Program`."""
    return _Unpickler(io.BytesIO(path.read_bytes()), path.parent).load()


def called(args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments of a search, with functions of no argument in the place of data replaced by what they return.

    A function as the only positional argument may return all data: a dict of keyword arguments, or a tuple of
    positional ones.
    """
    if len(args) == 1 and "x" not in kwargs and _is_data_function(args[0]):
        data = args[0]()
        if isinstance(data, dict):
            return (), {**data, **kwargs}
        return (data if isinstance(data, tuple) else (data,)), kwargs
    names = ("x", "y", "validation_data")
    return tuple(value() if _is_data_function(value) else value for value in args), {
        name: value() if name in names and _is_data_function(value) else value
        for name, value in kwargs.items()
    }


def _is_data_function(value: Any) -> bool:
    return inspect.isfunction(value) or isinstance(value, functools.partial)
