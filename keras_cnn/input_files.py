"""Files that a user names, checked by kind and size before they are read."""

import os
import stat
from pathlib import Path

from keras_cnn.errors import InputError

# of each kind that is not read: a pipe or a device may never end
KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}


def check_file(path: str | Path, max_bytes: int) -> None:
    """Check that `path` is a regular file that is not too large to be read.

    Args:
        path: the file; links are followed.
        max_bytes: its largest size.

    Raises:
        InputError: if it is missing, of another kind, or larger.
    """
    name = repr(str(path))  # in one line, whatever it holds
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise InputError(f"there is no {name}.") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise InputError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if not stat.S_ISREG(found.st_mode):
        kind = next((name for is_kind, name in KINDS.items() if is_kind(found.st_mode)), "no file")
        raise InputError(f"{name} is {kind}, where a regular file is needed. Copy its content to a file.")
    if found.st_size > max_bytes:
        raise InputError(
            f"{name} has {in_units(found.st_size)}, and at most {in_units(max_bytes)} are read of such a file."
        )


def read_text(path: str | Path, max_bytes: int) -> str:
    """The content of a file in UTF-8; InputError where `check_file` raises it, and for other bytes."""
    check_file(path, max_bytes)
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{str(path)!r} is no text in UTF-8. Save it in that encoding.") from None
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}.") from None


def in_units(size: int) -> str:
    """Bytes as people write them: 870 kB, 6.8 GB."""
    value, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"
