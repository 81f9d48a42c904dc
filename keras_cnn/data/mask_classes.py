"""The class of each number in masks; numbers without a class are refused."""

from pathlib import Path

import numpy as np

from keras_cnn.data.dataset import listing
from keras_cnn.errors import InputError
from keras_cnn.input_files import read_text

NAMES = "classes.txt"
MAX_NAMES_BYTES = 1_000_000
NAMED = 100  # masks listed in one message


def mask_classes(root: Path, values: dict[Path, frozenset[int]]) -> tuple[tuple[str, ...], np.ndarray]:
    """Class names, and the table (256,) uint8 from a number in a mask to its class.

    Numbers are classes 0, 1, 2, ...; where 255 occurs and 1 does not, 0 and 255 are the two classes. Names are the
    lines of `root`/classes.txt, else background and foreground, or class0, class1, ... Without that file no class may
    be missing among the masks. values: the numbers in each mask. Raises InputError that names every mask with another.
    """
    names = _names(root / NAMES)
    present = set().union(*values.values())
    binary = 255 in present and 1 not in present and len(names) in (0, 2)
    count = len(names) or (2 if binary else next(value for value in range(257) if value not in present))
    allowed = {0, 255} if binary else set(range(max(2, count)))
    strange = [
        f"{path.parent.name}/{path.name} holds {listing([str(value) for value in sorted(found - allowed)])}"
        for path, found in values.items()
        if found - allowed
    ]
    if strange:
        raise InputError(
            f"pairs:{root}: a mask may hold {listing([str(value) for value in sorted(allowed)])}, but "
            f"{listing(strange, NAMED)}. Fix them, or name the classes, one a line, in {NAMES}: numbers are their "
            "places, from 0."
        )
    table = np.arange(256, dtype=np.uint8)
    if binary:
        table[255] = 1
    if not names:
        names = (
            ["background", "foreground"] if len(allowed) == 2 else [f"class{index}" for index in range(count)]
        )
    return tuple(names), table


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
