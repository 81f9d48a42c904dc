"""Data frames of paths and labels, of pandas, Polars or others: a table with `columns`, whose columns are lists."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cnn.data import array_store
from keras_cnn.data.dataset import listing
from keras_cnn.data.decode import Header, decode, header, mixed_sizes
from keras_cnn.data.progress import parallel
from keras_cnn.errors import InputError

PATHS = ("path", "file", "filename", "filepath", "file_path", "image", "image_path")
LABELS = ("label", "class", "target", "category")


def is_frame(data: Any) -> bool:
    """Whether `data` is a data frame, by what it can do: no package of frames is imported."""
    return hasattr(data, "columns") and hasattr(data, "__getitem__") and hasattr(data, "shape")


def read_frames(
    frames: dict[str, Any], image_size: tuple[int, int] | None
) -> dict[str, tuple[np.ndarray, list]]:
    """The images and labels of data frames, one for each split.

    Args:
        frames: name of the split -> frame with a column of paths and one of labels; other columns are left out. Paths
            that are not absolute start at the current folder.
        image_size: (height, width) to resize every image to; None keeps their own, which must be one.

    Returns:
        Name of the split -> (uint8 (N, H, W, C), labels); images are gray where all of all splits are, else RGB.

    Raises:
        InputError: for other columns, rows without a label, files that are no images, images of several sizes.
    """
    if not frames:
        return {}
    tables = {role: _columns(frame, role) for role, frame in frames.items()}
    heads = {role: _each(header, paths, role, "scanning") for role, (paths, _) in tables.items()}
    found: list[Header] = [head for group in heads.values() for head in group]
    sizes = {head.size for head in found}
    if image_size is None and len(sizes) > 1:
        raise mixed_sizes("the data frame", sizes)
    size, channels = image_size or sizes.pop(), 1 if all(head.gray for head in found) else 3
    return {role: (_pixels(paths, size, channels, role), labels) for role, (paths, labels) in tables.items()}


def _columns(frame: Any, role: str) -> tuple[list[Path], list]:
    names = [str(name) for name in frame.columns]
    path, label = (_chosen(names, known, role) for known in (PATHS, LABELS))
    paths, labels = list(frame[path]), list(frame[label])
    if not paths:
        raise InputError(f"the {role} data frame has no rows.")
    without = [row for row, value in enumerate(labels) if value is None or value != value]
    if without:
        raise InputError(
            f"{len(without)} rows of the {role} data frame have no {label}, the first is row {without[0]}: drop them."
        )
    odd = next((value for value in paths if not isinstance(value, str | Path)), None)
    if odd is not None:
        raise InputError(f"column {path} of the {role} data frame holds {odd!r}: give paths of image files.")
    return [Path(value) for value in paths], labels


def _chosen(names: Sequence[str], known: Sequence[str], role: str) -> str:
    """The one column of `names` that is called as one of `known`."""
    found = [name for name in names if name.casefold() in known]
    if len(found) != 1:
        raise InputError(
            f"the {role} data frame has {len(found)} columns called {', '.join(known)} among {listing(names)}: "
            f"name one {known[0]!r}, as in frame.rename(columns={{...: {known[0]!r}}})."
        )
    return found[0]


def _pixels(paths: Sequence[Path], size: tuple[int, int], channels: int, role: str) -> np.ndarray:
    images = array_store.empty((len(paths), *size, channels))
    rows = {path: row for row, path in enumerate(paths)}

    def fill(path: Path) -> int:
        images[rows[path]] = decode(path, channels, size)
        return rows[path]

    _each(fill, list(rows), role, "reading")
    first = [rows[path] for path in paths]  # of a file that several rows name
    return images[first] if first != list(range(len(paths))) else images


def _each(read: Any, paths: Sequence[Path], role: str, doing: str) -> list:
    """What `read` returns of each file. InputError names those that are no images."""

    def one(path: Path) -> Any:
        try:
            if not path.is_file():
                raise InputError(f"there is no file {str(path)!r} (in {Path.cwd()}).")
            return read(path)
        except InputError as error:
            return error

    found = parallel(one, paths, f"{doing} {role}")
    wrong = [value for value in found if isinstance(value, InputError)]
    if wrong:
        raise InputError(
            f"{len(wrong)} of {len(paths)} files of the {role} data frame cannot be read: {wrong[0]}"
        )
    return found
