"""Many image files at once, in threads: headers, duplicates and pixels."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_cnn.data import array_store
from keras_cnn.data.dataset import Split
from keras_cnn.data.decode import decode, header, resize
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


def scan(folders: dict[str, Path], classes: Sequence[str]) -> tuple[list[Photo], list[Path]]:
    """Photos in the class folders of every split, by name, and entries that are no images; hidden ones are skipped."""
    entries = [
        (path, split, label)
        for split, folder in folders.items()
        for label, name in enumerate(classes)
        for path in sorted((folder / name).iterdir(), key=lambda path: path.name)
        if not path.name.startswith(".")
    ]
    found = parallel(_photo, entries, "scanning images")
    not_images = [entry[0] for entry, photo in zip(entries, found, strict=True) if not photo]
    return [photo for photo in found if photo], not_images


def copies(photos: Sequence[Photo]) -> list[list[Photo]]:
    """Groups of two photos or more whose files hold the same bytes."""
    same_size = [group for group in _grouped(photos, [photo.weight for photo in photos]) if len(group) > 1]
    suspects = [photo for group in same_size for photo in group]  # only files of equal length need reading
    digests = parallel(_digest, suspects, "looking for copies")
    return [group for group in _grouped(suspects, digests) if len(group) > 1]


def read(
    photos: Sequence[Photo], size: tuple[int, int], channels: int, title: str
) -> tuple[Split, list[Photo]]:
    """Decoded photos, resized to `size`, (height, width), and those that turned out to be broken."""
    images = array_store.empty((len(photos), *size, channels))
    labels = np.array([photo.label for photo in photos], np.int64)

    def fill(row: int) -> bool:
        try:
            images[row] = resize(decode(photos[row].path, channels), size)
        except InputError:
            return False
        return True

    whole = np.array(parallel(fill, range(len(photos)), f"reading {title}"), bool)
    broken = [photo for photo, good in zip(photos, whole, strict=True) if not good]
    return Split(array_store.take(images, np.flatnonzero(whole)), labels[whole]), broken


def _photo(entry: tuple[Path, str, int]) -> Photo | None:
    path, split, label = entry
    if not path.is_file():  # a folder; or a pipe, which would never end
        return None
    try:
        head = header(path)
    except InputError:
        return None
    return Photo(path, split, label, head.gray, head.size, path.stat().st_size)


def _digest(photo: Photo) -> bytes:
    with photo.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _grouped(photos: Iterable[Photo], keys: Iterable[object]) -> list[list[Photo]]:
    groups = defaultdict(list)
    for photo, key in zip(photos, keys, strict=True):
        groups[key].append(photo)
    return list(groups.values())
