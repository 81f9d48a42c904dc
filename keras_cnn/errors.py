"""Errors in what a user gave, as one line.

The command line prints an `InputError` as `error: ...` and exits with code 2; everything else is a bug
and keeps its traceback.
"""

import difflib
import errno
import re
from collections.abc import Iterable

BAD_INPUT = 2  # the exit code of a command that was given bad input


class InputError(ValueError):
    """Bad input. The message says what was received, what is allowed and how to fix it."""


class ExportMismatchError(Exception):
    """An exported model does not predict what the trained one does."""


DISK_FULL = "no space left on the disk: free some, then resume or run again."


def is_disk_full(error: BaseException) -> bool:
    """Whether the disk or the user's share of it is used up."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def in_one_line(error: BaseException) -> str:
    """The message of another library's error, without line breaks and shortened."""
    return " ".join(str(error).split())[:300]


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
