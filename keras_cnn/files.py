"""Files that a kill at any moment leaves whole: written to a temporary path, synced, renamed. JSON and CSV."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.input_files import read_text

MAX_JSON_BYTES = 100_000_000  # a confusion matrix of 3,000 classes, with room
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
FORMAT_VERSION = 2  # of the JSON files of runs, studies, trials and diagnoses; docs/file-formats.md


def write_versioned(path: Path, record: dict) -> None:
    """Replace `path` by `record` as JSON, with the version of the file format."""
    write_json(path, {"format_version": FORMAT_VERSION, **record})


def read_versioned(path: Path) -> dict:
    """The record in `path`, of this format version or an older one.

    Raises:
        InputError: if the file is missing, damaged, or of a newer version.
    """
    record = read_json(path)
    version = record.pop("format_version", 1)
    if version > FORMAT_VERSION:
        raise InputError(
            f"{path} has format version {version}, and this keras-cnn reads up to {FORMAT_VERSION}: update it."
        )
    return record


def write_json(path: Path, value: object) -> None:
    """Replace `path` by `value` as JSON; NaN and infinities are written as Python's json does."""
    write_file(path, lambda temporary_path: temporary_path.write_text(json.dumps(value, indent=1) + "\n"))


def to_csv(rows: Iterable[dict], names: Sequence[str]) -> str:
    """A table with a header: of each row the values of `names`, empty where it has none.

    Before a text that a spreadsheet would compute as a formula, such as =HYPERLINK("..."), stands an apostrophe, which
    makes it text (OWASP, "CSV Injection").
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows({name: _no_formula(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def read_json(path: Path) -> dict:
    """The JSON object in `path`; InputError names the file if it is missing or damaged."""
    text = read_text(path, MAX_JSON_BYTES)
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply to be read.") from None


def distinct_stems(paths: Sequence[Path]) -> list[str]:
    """A name for each file, its own without the ending; of equal ones the later are numbered: `scan`, `scan-2`, ..."""
    taken = {path.stem for path in paths}
    names: list[str] = []
    for path in paths:
        name, number = path.stem, 1
        while name in names or (number > 1 and name in taken):
            number += 1
            name = f"{path.stem}-{number}"
        names.append(name)
    return names


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Call `write` with a path beside `path` (same ending), then put the result in the place of `path`."""
    temporary_path = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        write(temporary_path)
        with temporary_path.open("rb") as file:
            os.fsync(file.fileno())
        temporary_path.replace(path)
    finally:
        temporary_path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
