"""Files that a kill at any moment leaves whole: written to a temporary path, synced, renamed."""

import contextlib
import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

TEMPORARY = ".keras-cnn-{process}-"  # what the name of a temporary file begins with
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Call `write` with a path beside `path` (same ending), then put the result in the place of `path`."""
    temporary_path = path.with_name(TEMPORARY.format(process=os.getpid()) + path.name)
    try:
        write(temporary_path)
        sync_file(temporary_path)
        temporary_path.replace(path)
    finally:
        temporary_path.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content`."""
    write_file(path, lambda temporary_path: temporary_path.write_bytes(content))


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in UTF-8, whatever the locale; bytes of a file's name that are no text by their code."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_json(path: Path, value: object) -> None:
    """Replace `path` by `value` as JSON; NaN and infinities are written as Python's json does."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def to_png(figure, dpi: int = 80) -> bytes:
    """A matplotlib figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def sweep(folder: Path) -> None:
    """Delete the temporary files in `folder` of processes of this machine that no longer live."""
    pattern = re.compile(re.escape(TEMPORARY).replace(r"\{process\}", r"(\d+)"))
    for path in folder.glob(".keras-cnn-*"):
        match = pattern.match(path.name)
        if match and not lives(int(match[1])):
            path.unlink(missing_ok=True)


def lives(process: int) -> bool:
    """Whether a process of this number lives on this machine."""
    with contextlib.suppress(PermissionError):  # another user's process lives too
        try:
            os.kill(process, 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True


def sync_file(path: Path) -> None:
    """Make the content of `path` durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make everything below `folder` durable."""
    for path in folder.rglob("*"):
        if path.is_file():
            sync_file(path)
        elif path.is_dir():
            sync_folder(path)
    sync_folder(folder)


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
