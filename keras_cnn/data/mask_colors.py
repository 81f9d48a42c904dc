"""Which colors of masks are classes, and which come from interpolation or JPEG; masks of colors to masks of classes.

Interpolation and JPEG change the pixels where two areas meet, and leave the inside of areas as it is. So colors that
fill areas are classes, and colors that occur only at edges, between the colors on both sides, are not.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_cnn.data.decode import opened
from keras_cnn.data.image_files import files_below
from keras_cnn.data.progress import parallel
from keras_cnn.errors import InputError

Color = tuple[int, int, int]
MAX_CLASSES = 64  # more colors than that are no classes but shades
NEAR = 32  # of 255, in any channel: JPEG moves the color of an area by less than that
SHADE_RATIO = 0.1  # of the area of a near color: what fills less than that is a shade of it, not a class
ON_LINE = 8  # of 255: how far rounding, and the overshoot of bicubic interpolation, move a color off the line
FEW = 256  # colors at edges; from more on, they are not looked at one by one


@dataclass(frozen=True)
class ClassColors:
    """colors: those of the classes, sorted; empty if they cannot be known. blurred: number of other colors."""

    colors: tuple[Color, ...]
    blurred: int


def class_colors(paths: Sequence[Path], lossy: bool) -> ClassColors:
    """The colors in masks that are classes. lossy: whether some of the masks are JPEG."""
    inside: Counter[int] = Counter()
    everywhere: set[int] = set()
    for here, within in parallel(_census, paths, "looking at the colors of masks"):
        everywhere |= here
        inside.update(within)
    chosen = _areas(inside, lossy)
    if not 2 <= len(chosen) <= MAX_CLASSES:
        return ClassColors((), len(everywhere))
    others = everywhere - set(chosen)
    if not lossy and len(others) <= FEW:  # a class may be too thin to have an inside
        thin = {color for color in others if not _lies_between(color, chosen)}
        chosen, others = [*chosen, *thin], others - thin
    return ClassColors(tuple(sorted(map(_unpacked, chosen))), len(others))


def _areas(inside: Counter[int], lossy: bool) -> list[int]:
    """Colors that fill areas, but the shades of one that fills more; one more than `MAX_CLASSES` are not all."""
    chosen: list[int] = []
    for color, count in inside.most_common():
        near = [inside[other] for other in chosen if _distance(color, other) < NEAR]
        if not near or (not lossy and count > SHADE_RATIO * max(near)):
            chosen.append(color)
        if len(chosen) > MAX_CLASSES:
            break
    return chosen


def to_classes(folders: Sequence[str], colors: Sequence[Color | int]) -> None:
    """Replace the masks in `folders` by PNGs of class numbers: of each pixel, the position of the nearest of `colors`.

    A number stands for a shade of gray. The masks as they were stay in a folder of the same name with `-original`.
    Raises InputError if there is such a folder already.
    """
    for folder in map(Path, folders):
        original, new = (folder.with_name(folder.name + ending) for ending in ("-original", "-classes"))
        if original.exists():
            raise InputError(f"there is {str(original)!r} already: remove it, or rename it.")
        for path in files_below(folder):
            target = new / path.relative_to(folder).with_suffix(".png")
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_classes(path, target, colors)
        folder.rename(original)
        new.rename(folder)


def _write_classes(path: Path, target: Path, colors: Sequence[Color | int]) -> None:
    from PIL import Image

    with opened(path) as image:
        pixels = np.asarray(image.convert("RGB"), np.int32)
    distances = [((pixels - color) ** 2).sum(axis=2, dtype=np.int32) for color in colors]
    Image.fromarray(np.argmin(distances, axis=0).astype(np.uint8)).save(target)


def _census(path: Path) -> tuple[set[int], Counter[int]]:
    """The colors of a mask, and of those that fill areas the number of pixels inside; packed, 8 bits a channel."""
    with opened(path) as image:
        pixels = np.asarray(image.convert("RGB"), np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    center = pixels[1:-1, 1:-1]
    inside = np.ones(center.shape, bool)
    for row, column in itertools.product(range(3), repeat=2):
        inside &= pixels[row : row + len(center), column : column + center.shape[1]] == center
    colors, counts = np.unique(center[inside], return_counts=True)
    return set(np.unique(pixels).tolist()), Counter(dict(zip(colors.tolist(), counts.tolist(), strict=True)))


def _unpacked(color: int) -> Color:
    return color >> 16, color >> 8 & 255, color & 255


def _distance(one: int, other: int) -> int:
    return max(abs(a - b) for a, b in zip(_unpacked(one), _unpacked(other), strict=True))


def _lies_between(color: int, chosen: Sequence[int]) -> bool:
    """Whether a color is near the straight line from one of the chosen ones to another."""
    point = np.array(_unpacked(color))
    for one, other in itertools.combinations([np.array(_unpacked(each)) for each in chosen], 2):
        line = other - one
        share = np.clip((point - one) @ line / (line @ line), 0, 1)
        if np.abs(one + share * line - point).max() <= ON_LINE:
            return True
    return False
