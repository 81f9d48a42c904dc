"""The values that options of architectures allow: one table, which checks them and describes them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

UPSAMPLINGS = ("transpose", "resize")


@dataclass(frozen=True)
class Allowed:
    """text: the values, for people. contains: whether a value is one of them."""

    text: str
    contains: Callable[[object], bool]


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 1


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


COUNT = Allowed("an integer of at least 1", _is_count)
COUNTS = Allowed(
    "a list of positive integers, which may be empty",
    lambda value: isinstance(value, list | tuple) and all(map(_is_count, value)),
)
FACTOR = Allowed("a number above 0", lambda value: _is_number(value) and value > 0)  # type: ignore[operator]
RATE = Allowed("a number in [0, 1)", lambda value: _is_number(value) and 0 <= value < 1)  # type: ignore[operator]

# an option means the same in every architecture that has it
ALLOWED = {
    "alpha": FACTOR,
    "blocks": COUNT,
    "convolutions": COUNT,
    "dense": COUNTS,
    "depth": COUNT,
    "drop_path_rate": RATE,
    "growth": FACTOR,
    "patch_size": COUNT,
    "stages": COUNT,
    "upsampling": Allowed(f"one of {', '.join(UPSAMPLINGS)}", lambda value: value in UPSAMPLINGS),
    "width": COUNT,
}
