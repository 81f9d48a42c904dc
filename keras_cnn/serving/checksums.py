"""SHA256SUMS of an exported version: a line for each file, as `sha256sum --check` reads it."""

import contextlib
import hashlib
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.input_files import check_file
from keras_cnn.records import read_json
from keras_cnn.training.run_directory import BEST_WEIGHTS

CHECKSUMS = "SHA256SUMS"
MAX_CHECKSUMS_BYTES = 1_000_000  # some ten lines
LOADED = ("card.json", "saved_model.pb", "variables/*")  # what a version consists of for who serves it


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS of the files below `folder`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    lines = [f"{digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def check_checksums(folder: Path) -> None:
    """Raise InputError if a file below `folder` is not what was exported; versions without SHA256SUMS pass."""
    sums = folder / CHECKSUMS
    if not sums.exists() and not sums.is_symlink():
        return
    check_file(sums, MAX_CHECKSUMS_BYTES)
    listed = set()
    for line in sums.read_text(encoding="utf-8", errors="replace").splitlines():
        expected, _, name = line.partition("  ")
        path = folder / name
        if not name or not path.is_file() or digest(path) != expected:
            raise _changed(path if name else sums)
        listed.add(path)
    for path in (path for pattern in LOADED for path in folder.glob(pattern)):
        if path not in listed:  # the list is cut off
            raise _changed(sums)


def _changed(path: Path) -> InputError:
    return InputError(
        f"{path} is not what was exported ({CHECKSUMS}): restore it from a copy, or export the run again; if you have "
        f"changed it yourself, delete {CHECKSUMS}."
    )


def find_export(run: Path, destination: Path) -> Path | None:
    """The newest version below `destination` that was exported from the best weights of `run`."""
    if not (run / BEST_WEIGHTS).is_file():
        return None
    weights = digest(run / BEST_WEIGHTS)
    cards = [path for path in destination.glob("*/card.json") if path.is_file()]
    for card in sorted(cards, key=lambda path: path.stat().st_mtime, reverse=True):
        with contextlib.suppress(InputError):
            if read_json(card).get("weights_sha256") == weights:
                return card.parent
    return None


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
