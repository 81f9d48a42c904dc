"""The class of each number in masks; numbers without a class are refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_cnn.data.dataset import listing
from keras_cnn.data.mask_errors import shades, strange_numbers
from keras_cnn.errors import InputError
from keras_cnn.input_files import read_text

NAMES = "classes.txt"
MAX_UNNAMED = 32  # classes; where more are without a name, they may be shades that interpolation has made
MAX_NAMES_BYTES = 1_000_000


@dataclass(frozen=True)
class MaskClasses:
    """What numbers in masks mean.

    Args:
        names: of the classes.
        table: uint8 (256,), from a number in a mask to its class.
        notes: how to name the classes, if nobody has.
    """

    names: tuple[str, ...]
    table: np.ndarray
    notes: tuple[str, ...] = ()


def mask_classes(root: Path, values: dict[Path, frozenset[int]]) -> MaskClasses:
    """What the numbers in masks mean. values: the numbers in each mask.

    Numbers are classes 0, 1, 2, ...; where 255 occurs and 1 does not, 0 and 255 are the two classes. Names are the
    lines of `root`/classes.txt, else black and white for 0 and 255, or class0, class1, ... Without that file no class
    may be missing among the masks. Raises InputError that names every mask with another number.
    """
    names = _names(root / NAMES)
    present = set().union(*values.values())
    binary = 255 in present and 1 not in present and len(names) in (0, 2)
    count = len(names) or (2 if binary else next(value for value in range(257) if value not in present))
    allowed = [0, 255] if binary else list(range(max(2, count)))
    strange = {path: sorted(found - set(allowed)) for path, found in values.items() if found - set(allowed)}
    if strange:
        raise strange_numbers(root, strange, allowed, len(names), list(values))
    if not names and count > MAX_UNNAMED and (error := shades(root, count, list(values))):
        raise error
    table = np.arange(256, dtype=np.uint8)
    if binary:
        table[255] = 1
    if names:
        return MaskClasses(tuple(names), table)
    names = ["black", "white"] if binary else [f"class{index}" for index in allowed]
    return MaskClasses(tuple(names), table, (_how_to_name(root / NAMES, names, allowed),))


def _how_to_name(path: Path, names: Sequence[str], numbers: Sequence[int]) -> str:
    called = [f"{name} ({number})" for name, number in zip(names, numbers, strict=True)]
    return (
        f"the classes are called {listing(called)}, after their numbers in the masks; "
        f"to name them, write one name a line, in this order, to {path}"
    )


def _names(path: Path) -> list[str]:
    if not path.exists():
        return []
    lines = read_text(path, MAX_NAMES_BYTES).splitlines()
    names = [line.strip() for line in lines if line.strip()]
    if not 2 <= len(set(names)) == len(names) <= 256:
        raise InputError(
            f"{path} holds {listing(names) or 'nothing'}; needed are 2 to 256 different names, one a line."
        )
    return names
