"""Files that a kill at any moment leaves whole: written aside, synced, renamed. JSON and CSV for them."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from keras_cnn.errors import InputError


def write_json(path: Path, value: object) -> None:
    """Replace `path` by `value` as JSON; NaN and infinities are written as Python's json does."""
    write_file(path, lambda aside: aside.write_text(json.dumps(value, indent=1) + "\n"))


def to_csv(rows: Iterable[dict], names: Sequence[str]) -> str:
    """A table with a header: of each row the values of `names`, empty where it has none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_json(path: Path) -> dict:
    """The JSON object in `path`; InputError names the file if it is missing or damaged."""
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise InputError(f"there is no {path}.") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None


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
    aside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        write(aside)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
