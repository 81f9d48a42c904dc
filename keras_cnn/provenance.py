"""What is needed to repeat a result: versions, machine and git commit; and what has changed since."""

import contextlib
import functools
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.records import read_record

PACKAGES = ("tensorflow", "keras", "keras-tuner", "tensorflow-datasets", "numpy")


def provenance() -> dict:
    """Versions of Python and the packages, processor count, platform, and this code's git commit."""
    return {
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "git_commit": _git_commit(),
    }


def sessions(*paths: Path) -> dict:
    """The entries of a record that say where it was made, and later continued.

    Args:
        paths: the file of the record and its copy; the first that can be read counts.

    Returns:
        `provenance`: that of the first session that wrote the record, or of this one if there is none; `resumed`: those
        of later sessions, this one included, each if it differs from the one before.
    """
    now = provenance()
    first, *later = _recorded(paths) or [now]
    if (later or [first])[-1] != now:
        later.append(now)
    return {"provenance": first, "resumed": later}


def changes(*paths: Path) -> list[str]:
    """A line for each version, machine or commit that differs from the last session that wrote the record."""
    recorded = _recorded(paths)
    if not recorded:
        return []
    before, now = _flat(recorded[-1]), _flat(provenance())
    return [
        f"note: {name} was {before.get(name)} when it was made, and is {now[name]}: scores may differ slightly"
        for name in now
        if before.get(name) != now[name]
    ]


def _recorded(paths: Iterable[Path]) -> list[dict]:
    for path in paths:
        with contextlib.suppress(InputError):
            record = read_record(path)
            if isinstance(record.get("provenance"), dict):
                return [record["provenance"], *record.get("resumed", [])]
    return []


def _flat(one: dict) -> dict:
    return {**one.get("packages", {}), **{name: value for name, value in one.items() if name != "packages"}}


@functools.cache
def _git_commit() -> str | None:
    """The commit of the checkout that contains this file, with `+changes` if it differs; None outside git."""
    root = Path(__file__).parent
    try:
        run = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+changes"],
            cwd=root,
            capture_output=True,
            encoding="utf-8",
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() or None
