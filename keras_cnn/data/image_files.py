"""Many image files at once: where they are, and, in threads, their headers, duplicates and pixels."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_cnn.data import array_store
from keras_cnn.data.dataset import Split
from keras_cnn.data.decode import ENDINGS, decode, header
from keras_cnn.data.progress import parallel
from keras_cnn.errors import InputError


@dataclass(frozen=True)
class Photo:
    """An image file and what its header says.

    label: position of its class. size: (height, width) once decoded. weight: bytes of the file.
    """

    path: Path
    split: str
    label: int
    gray: bool
    size: tuple[int, int]
    weight: int


# what systems, archives and file servers leave beside images; in small letters
JUNK = {
    *("__macosx", "__pycache__", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "lost+found"),
    *("@eadir", "#recycle", "$recycle.bin", "system volume information"),
}


def is_junk(name: str) -> bool:
    """Whether a file or folder of this name is never read: hidden, such as `._1.jpg`, or one of JUNK."""
    return name.startswith(".") or name.casefold() in JUNK


def sub_folders(folder: Path) -> list[str]:
    """Sorted names of the folders in `folder`, without junk."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not is_junk(path.name))


def files_below(folder: Path) -> list[Path]:
    """Files in `folder` at any depth, without junk, in the order of their names.

    Links to folders are followed, each folder is entered once, and none that holds `folder`: a loop has an end.
    """
    above = {Path(os.path.abspath(folder)), folder.resolve()}
    seen = {_identity(parent) for start in above for parent in (start, *start.parents)}
    found, waiting = [], [folder]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            if is_junk(path.name):
                continue
            if not path.is_dir():
                found.append(path)
            elif (identity := _identity(path)) not in seen:
                seen.add(identity)
                waiting.append(path)
    return sorted(found, key=lambda path: path.parts)


def images_in(folder: Path) -> list[Path]:
    """Files directly in `folder` that are called like images, sorted."""
    return sorted(path for path in folder.iterdir() if _is_called_image(path) and not path.is_dir())


def images_below(folder: Path) -> list[Path]:
    """Regular files in `folder`, at any depth, that are called like images, in the order of their names."""
    return [path for path in files_below(folder) if _is_called_image(path) and path.is_file()]


def scan(folders: dict[str, Path], classes: Sequence[str]) -> tuple[list[Photo], dict[Path, str]]:
    """Photos in the class folders of every split, at any depth, and what is wrong with files that are no images."""
    entries = [
        (path, split, label)
        for split, folder in folders.items()
        for label, name in enumerate(classes)
        for path in files_below(folder / name)
    ]
    found = parallel(_photo, entries, "scanning images")
    wrong = {entry[0]: why for entry, why in zip(entries, found, strict=True) if isinstance(why, str)}
    return [photo for photo in found if isinstance(photo, Photo)], wrong


def copies(photos: Sequence[Photo]) -> list[list[Photo]]:
    """Groups of two photos or more whose files hold the same bytes."""
    same_size = [group for group in _grouped(photos, [photo.weight for photo in photos]) if len(group) > 1]
    suspects = [photo for group in same_size for photo in group]  # only files of equal length need reading
    digests = parallel(_digest, suspects, "looking for copies")
    return [group for group in _grouped(suspects, digests) if len(group) > 1]


def read(
    photos: Sequence[Photo], size: tuple[int, int], channels: int, title: str
) -> tuple[Split, dict[Path, str]]:
    """Decoded photos, resized to `size`, (height, width), and what is wrong with those that are broken."""
    images = array_store.empty((len(photos), *size, channels))
    labels = np.array([photo.label for photo in photos], np.int64)

    def fill(row: int) -> str:
        try:
            images[row] = decode(photos[row].path, channels, size)
        except InputError as error:
            return str(error)
        return ""

    wrong = parallel(fill, range(len(photos)), f"reading {title}")
    whole = np.array([not why for why in wrong], bool)
    broken = {photo.path: why for photo, why in zip(photos, wrong, strict=True) if why}
    return Split(array_store.take(images, np.flatnonzero(whole)), labels[whole]), broken


def _photo(entry: tuple[Path, str, int]) -> Photo | str:
    path, split, label = entry
    if not path.is_file():  # a link to nowhere; or a pipe, which would never end
        return f"{str(path)!r} is no regular file."
    try:
        head = header(path)
    except InputError as error:
        return str(error)
    return Photo(path, split, label, head.gray, head.size, path.stat().st_size)


def _digest(photo: Photo) -> bytes:
    with photo.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _is_called_image(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and not is_junk(path.name)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _grouped(photos: Iterable[Photo], keys: Iterable[object]) -> list[list[Photo]]:
    groups = defaultdict(list)
    for photo, key in zip(photos, keys, strict=True):
        groups[key].append(photo)
    return list(groups.values())
