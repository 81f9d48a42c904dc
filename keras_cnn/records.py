"""JSON files of runs, studies and diagnoses: with the version of their format, and a checksum that shows damage.

The formats are described in docs/file-formats.md.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from keras_cnn.errors import DamagedFileError, InputError
from keras_cnn.files import write_json
from keras_cnn.input_files import check_file

Result = TypeVar("Result")

FORMAT_VERSION = 3
MAX_JSON_BYTES = 100_000_000  # a confusion matrix of 3,000 classes, with room
CHECKED_SINCE = 3  # older versions have no checksum


def write_record(path: Path, record: dict) -> None:
    """Replace `path` by `record` as JSON, with the version of the file format and a checksum."""
    versioned = {"format_version": FORMAT_VERSION, **record}
    write_json(path, {**versioned, "checksum": _checksum(versioned)})


def read_record(path: Path) -> dict:
    """The record in `path`, of this format version or an older one.

    Raises:
        DamagedFileError: if it is not what was written.
        InputError: if the file is missing or of a newer version.
    """
    record = read_json(path)
    version = record.get("format_version", 1)
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise InputError(
            f"{path} has format version {version}, and this keras-cnn reads up to {FORMAT_VERSION}: update it."
        )
    checksum = record.pop("checksum", None)
    if checksum is not None and checksum != _checksum(record):
        raise DamagedFileError(path, "its content does not match its checksum")
    if checksum is None and version not in range(1, CHECKED_SINCE):
        raise DamagedFileError(path, "it has no checksum")
    return {name: value for name, value in record.items() if name != "format_version"}


def read_or_copy(read: Callable[[Path], Result], path: Path, copy: Path) -> Result:
    """`read(path)`, or `read(copy)` if the first is missing or damaged.

    Raises:
        InputError: if neither can be read.
    """
    try:
        return read(path)
    except InputError:
        if not copy.exists():
            raise
        return read(copy)


def read_json(path: Path) -> dict:
    """The JSON object in `path`.

    Raises:
        DamagedFileError: if it holds no such object.
        InputError: if it is missing, no regular file, or too large.
    """
    check_file(path, MAX_JSON_BYTES)
    try:
        content = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(path, error) from None
    if not isinstance(content, dict):
        raise DamagedFileError(path, f"it holds a {type(content).__name__} instead of a JSON object")
    return content


@contextlib.contextmanager
def understood(path: Path) -> Iterator[None]:
    """Around what takes the record of `path` apart: an entry that is missing or of another type is damage."""
    try:
        yield
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DamagedFileError(path, f"{type(error).__name__}: {error}") from None


def is_damaged(path: Path, read: Callable[[Path], object]) -> bool:
    """Whether `path` exists, and `read(path)` refuses what it holds."""
    try:
        if path.exists():
            read(path)
    except InputError:
        return True
    return False


def _checksum(record: dict) -> str:
    """SHA-256 of the record as it is read back: keys are strings, tuples are lists."""
    content = json.loads(json.dumps(record))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
