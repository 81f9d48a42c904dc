"""Photos in folders: one sub-folder a class, or folders train, val and test of such."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from keras_cnn.data import image_files, split_folders
from keras_cnn.data.dataset import RawSplits, Split, listing
from keras_cnn.data.decode import FORMATS, mixed_sizes
from keras_cnn.data.image_files import Photo
from keras_cnn.errors import InputError


def read(root: Path, image_size: tuple[int, int] | None) -> RawSplits:
    """Read train and validation of the folder `root`, and only the headers of test.

    Images become gray where every one is, else RGB. Files that are no images or are broken are left out and
    named in the notes, as are duplicates in two splits; damaged files of test are logged when it is read.
    Raises InputError for an unknown layout, for a split without images, or where images differ in
    size and `image_size`, (height, width), is None.
    """
    layout = split_folders.find(root)
    folders, classes = layout.folders, layout.classes
    found, not_images = image_files.scan(folders, classes)
    by_split = {split: [photo for photo in found if photo.split == split] for split in folders}
    size, channels = _common(root, by_split, not_images, image_size)

    def load(split: str) -> tuple[Split, dict[Path, str]]:
        return image_files.read(by_split[split], size, channels, split)

    def load_test() -> Split:
        test, broken = load("test")
        for note in _note("broken images are left out", broken, root):
            logging.getLogger(__name__).warning(note)
        return test

    train, broken = load("train")
    validation, more = load("validation") if "validation" in folders else (None, {})
    broken |= more
    own_test = "test" in folders
    return RawSplits(
        classes,
        train,
        validation,
        load_test if own_test else None,
        _counts(by_split["test"], classes) if own_test else None,
        flip_invariant=any(len(name) > 1 for name in classes),  # names of one character: digits or letters
        notes=(
            *layout.notes,
            *_note("sub-folders are read as part of their class", _nested(found, folders), root),
            *_note("files are no images and left out", not_images, root),
            *_note("broken images are left out", broken, root),
            *_copies(found, root),
        ),
        left_out=(*not_images.values(), *broken.values()),
    )


def _common(
    root: Path,
    by_split: dict[str, list[Photo]],
    not_images: dict[Path, str],
    image_size: tuple[int, int] | None,
) -> tuple[tuple[int, int], int]:
    """The size, (height, width), and the channels that all images will have."""
    empty = [split for split, group in by_split.items() if not group]
    if empty:
        others = "".join(_note(", but files that are none", not_images, root))
        raise InputError(
            f"the {empty[0]} folders of {str(root)!r} hold no image{others}. Allowed: {', '.join(FORMATS)}."
        )
    found = [photo for group in by_split.values() for photo in group]
    sizes = {photo.size for photo in found}
    if image_size is None and len(sizes) > 1:
        raise mixed_sizes(f"folder:{root}", sizes)
    return image_size or sizes.pop(), 1 if all(photo.gray for photo in found) else 3


def _copies(found: Sequence[Photo], root: Path) -> list[str]:
    """Notes on files of the same bytes: in two splits, and within one, where cutting it may part them."""
    across: list[str] = []
    within: list[str] = []
    for group in image_files.copies(found):
        kind = across if len({photo.split for photo in group}) > 1 else within
        kind.append(" = ".join(_name(photo.path, root) for photo in group))
    return [
        *_listed("images are in two splits, which flatters the score", across),
        *_listed("images are there more than once", within),
    ]


def _nested(found: Sequence[Photo], folders: dict[str, Path]) -> list[Path]:
    """Folders inside of class folders that hold photos."""
    holding = dict.fromkeys((photo.split, photo.path.parent) for photo in found)
    return [folder for split, folder in holding if folder.parent != folders[split]]


def _note(what: str, paths: Iterable[Path], root: Path) -> list[str]:
    return _listed(what, [_name(path, root) for path in paths])


def _listed(what: str, names: list[str]) -> list[str]:
    return [f"{what} ({len(names)}): {listing(names)}"] if names else []


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _counts(group: Sequence[Photo], classes: tuple[str, ...]) -> list[int]:
    return np.bincount([photo.label for photo in group], minlength=len(classes)).tolist()
