"""Durations and sizes as people write them."""

import math
import re

from keras_cnn.errors import InputError

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def to_seconds(name: str, duration: str | None) -> float:
    """`2h`, `90m`, `600s` or `600` -> seconds; infinity for None. InputError for anything else; `name` is in it."""
    return _read(name, duration, SECONDS, "is no duration. Write it as 2h, 90m or 600s.")


def to_bytes(name: str, size: str | None) -> float:
    """`5GB`, `500MB` -> bytes, infinity for None. InputError for anything else."""
    return _read(name, size, BYTES, "is no size. Write it as 5GB or 500MB.")


def _read(name: str, text: str | None, units: dict[str, int], complaint: str) -> float:
    if text is None:
        return math.inf
    known = {unit.lower(): factor for unit, factor in units.items()}
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(text).strip().lower())
    if not found or float(found[1]) == 0 or found[2] not in known:
        raise InputError(f"{name}={text!r} {complaint}")
    return float(found[1]) * known[found[2]]
