"""Errors in what a user gave, as one line.

The command line prints an `InputError` as `error: ...` and exits with code 2; everything else is a bug
and keeps its traceback.
"""

import difflib
import errno
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

BAD_INPUT = 2  # the exit code of a command that was given bad input


class InputError(ValueError):
    """Bad input. The message says what was received, what is allowed and how to fix it."""


class DamagedFileError(InputError):
    """A file of a run, a study or an export that does not hold what was written to it."""

    def __init__(self, path: Path, cause: object):
        self.path = path
        super().__init__(
            f"{path} is damaged ({in_one_line(cause)}). Restore it from a copy; or let keras-cnn train --resume, of a "
            "run, or keras-cnn resume, of a study, move it aside and continue from the files that are whole."
        )


class ExportMismatchError(Exception):
    """An exported model does not predict what the trained one does."""


DISK_FULL = "no space left on the disk: free some, then resume or run again."
# of errors that carry no number: TensorFlow's ResourceExhaustedError, which is also that of memory, and HDF5's
DISK_FULL_TEXTS = ("No space left on device", "Disk quota exceeded")

FILE_ERRORS = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR),
    *(errno.EEXIST, errno.ENOENT, errno.ENXIO, errno.EINVAL, errno.EIO, errno.ENOTEMPTY),
)
TENSORFLOW_FILE_ERRORS = (  # of its own file system layer, whose texts are those of the system
    *("NotFoundError", "FailedPreconditionError", "PermissionDeniedError", "AlreadyExistsError"),
    *("InvalidArgumentError", "UnknownError", "UnimplementedError"),
)


def is_disk_full(error: BaseException) -> bool:
    """Whether the disk or the user's share of it is used up, in the words of Python, TensorFlow or HDF5."""
    return any(
        (isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT))
        or any(text in str(one) for text in DISK_FULL_TEXTS)
        for one in _with_causes(error)
    )


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def refusal(error: Exception) -> str | None:
    """The line for an error of files or memory that a user can fix; None for any other error."""
    if is_disk_full(error):
        return DISK_FULL
    if isinstance(error, OSError) and error.errno in FILE_ERRORS:
        return f"{error.filename or 'a file'}: {error.strerror}. Choose a path that can be read and written."
    if _is_tensorflow_file_error(error):
        return f"{in_one_line(error)}. Choose a path that can be read and written."
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        cause = in_one_line(error)
        return f"not enough memory{cause and f' ({cause})'}: take a smaller model, image size or batch size."
    return None


def _is_tensorflow_file_error(error: Exception) -> bool:
    known = type(error).__module__.startswith("tensorflow") and type(error).__name__ in TENSORFLOW_FILE_ERRORS
    text = str(error).casefold()
    return known and any(os.strerror(number).casefold() in text for number in FILE_ERRORS)


def in_one_line(error: object) -> str:
    """The message of another library's error, without line breaks, shortened, without TensorFlow's names of nodes."""
    text = re.sub(r"\{\{[^}]*\}\}|\[Op:.*|by allocator .*", "", " ".join(str(error).split()), flags=re.DOTALL)
    return text.strip()[:300]


def unknown_name(kind: str, received: object, allowed: Iterable[str]) -> InputError:
    """The error for a name outside `allowed`; a near miss is suggested."""
    names = sorted(allowed)
    close = closest_name(str(received), names)
    hint = f" Did you mean {close!r}?" if close else ""
    return InputError(f"unknown {kind} {received!r}.{hint} There is: {', '.join(names)}.")


def closest_name(received: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `received` most likely means, or None.

    The same name in another case comes first, then one of which `received` is the initials (`lr` of `learning_rate`),
    then the most similar one.
    """
    by_key = {name.casefold(): name for name in names}
    key = received.casefold()
    initials = {"".join(word[0] for word in re.findall(r"[^\W_]+", other)): other for other in by_key}
    similar = difflib.get_close_matches(key, by_key, n=1)
    for found in (key, initials.get(key) if len(key) > 1 else None, *similar):
        if found in by_key:
            return by_key[found]
    return None
