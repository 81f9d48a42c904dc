"""SHA256SUMS of an exported version: a line for each file, as `sha256sum --check` reads it."""

import hashlib
from pathlib import Path

from keras_cnn.errors import InputError

CHECKSUMS = "SHA256SUMS"


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS of the files below `folder`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    lines = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def check_checksums(folder: Path) -> None:
    """Raise InputError if a file below `folder` is not what was exported; versions without SHA256SUMS pass."""
    if not (folder / CHECKSUMS).exists():
        return
    for line in (folder / CHECKSUMS).read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        path = folder / name
        if not name or not path.is_file() or _digest(path) != digest:
            raise InputError(
                f"{path} is damaged or missing ({CHECKSUMS}): restore it from a copy, or export the run again."
            )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
