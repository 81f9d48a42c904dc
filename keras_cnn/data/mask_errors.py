"""What is wrong with masks whose numbers are no classes, and the command that fixes them."""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_cnn.data.dataset import listing
from keras_cnn.data.mask_colors import ClassColors, Color, class_colors
from keras_cnn.errors import InputError

NAMED = 10  # files in one message
AGAIN = "Save masks as PNG, and resize them with Image.Resampling.NEAREST."


def colored_masks(root: Path, wrong: Sequence[Path], every: Sequence[Path], *, lossy: bool) -> InputError:
    """The error for masks that are colored or JPEG. wrong: those. every: all masks. lossy: whether some are JPEG."""
    found = class_colors(every, lossy)
    kind, blurred = "JPEG, which blurs their numbers", ""
    if not lossy:
        kind, blurred = "colored, where one number for each class was expected", _blurred(found)
    files = listing([_name(root, path) for path in wrong], NAMED)
    return InputError(
        f"pairs:{root}: {len(wrong)} of {len(every)} masks are {kind}: {files}. {blurred}{_remedy(root, found, every)}"
    )


def strange_numbers(
    root: Path, strange: dict[Path, list[int]], allowed: Sequence[int], names: int, every: Sequence[Path]
) -> InputError:
    """The error for masks that hold numbers without a class.

    Args:
        strange: such numbers in each mask that holds any.
        allowed: the numbers that have a class.
        names: number of classes that have a name; their places must not change.
        every: all masks.
    """
    found = class_colors(every, lossy=False)
    holds = [
        f"{_name(root, path)} holds {listing(list(map(str, numbers)))}" for path, numbers in strange.items()
    ]
    remedy = "" if names and names != len(found.colors) else _remedy(root, found, every)
    text = (
        f"pairs:{root}: a mask may hold {listing(list(map(str, allowed)))}, but {listing(holds, NAMED)}. "
        f"{_blurred(found)}Fix them, or name a class for every number from 0, one a line, in classes.txt. {remedy}"
    )
    return InputError(text.strip())


def shades(root: Path, count: int, every: Sequence[Path]) -> InputError | None:
    """The error for masks of so many numbers if most of them occur at edges alone; else None."""
    found = class_colors(every, lossy=False)
    if 2 * len(found.colors) > count:
        return None
    files = listing([_name(root, path) for path in every], NAMED)
    return InputError(
        f"pairs:{root}: {len(every)} masks hold {count} different numbers: {files}. {_blurred(found)}If all are "
        f"classes, name them, one a line, in classes.txt. {_remedy(root, found, every)}"
    )


def different_palettes(
    root: Path, number: int, colors: dict[Path, tuple[int, ...]], every: Sequence[Path]
) -> InputError:
    """The error for masks in whose palettes `number` has different colors."""
    first: dict[tuple[int, ...], Path] = {}
    for path, color in colors.items():
        first.setdefault(color, path)
    has = [f"{color} in {_name(root, path)}" for color, path in first.items()]
    return InputError(
        f"pairs:{root}: the palettes of the masks differ, so that a number means several classes: {number} is "
        f"{listing(has)}. {_remedy(root, class_colors(every, lossy=False), every)}"
    )


def _blurred(found: ClassColors) -> str:
    if not found.blurred:
        return ""
    return (
        f"{found.blurred} of the colors or shades occur only where areas meet: "
        "the masks were resized with interpolation, or saved as JPEG before. "
    )


def _remedy(root: Path, found: ClassColors, every: Sequence[Path]) -> str:
    """How to make masks that can be read; ends with the command, so that it can be copied."""
    if not found.colors:
        return f"They do not show which colors are classes: make them again, one number a class. {AGAIN}"
    gray = all(len(set(color)) == 1 for color in found.colors)
    colors: list[int] | list[Color] = [color[0] for color in found.colors] if gray else list(found.colors)
    folders = json.dumps(sorted({str(_label_folder(root, path)) for path in every}))
    code = f"from keras_cnn.data.mask_colors import to_classes; to_classes({folders}, {colors})"
    classes = ", ".join(f"{index} for {color}" for index, color in enumerate(colors))
    return (
        f"{AGAIN} To replace each pixel by the class of the nearest color ({classes}) and keep the masks in "
        f"label-original: {shlex.join([sys.executable, '-c', code])}"
    )


def _label_folder(root: Path, path: Path) -> Path:
    parts = path.relative_to(root).parts
    return root.joinpath(*parts[: parts.index("label") + 1])


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
