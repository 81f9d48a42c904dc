"""Photos in folders: one sub-folder a class, or folders train, val and test of such."""

import logging
from collections.abc import Sequence
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
    folders, classes = split_folders.find(root)
    found, not_images = image_files.scan(folders, classes)
    by_split = {split: [photo for photo in found if photo.split == split] for split in folders}
    size, channels = _common(root, by_split, image_size)

    def load(split: str) -> tuple[Split, list[str]]:
        images, broken = image_files.read(by_split[split], size, channels, split)
        return images, _note("broken images are left out", [_name(photo.path, root) for photo in broken])

    def load_test() -> Split:
        test, broken = load("test")
        for note in broken:
            logging.getLogger(__name__).warning(note)
        return test

    train, broken = load("train")
    validation, more = load("validation") if "validation" in folders else (None, [])
    left_out = _note("files are no images and left out", [_name(path, root) for path in not_images])
    own_test = "test" in folders
    return RawSplits(
        classes,
        train,
        validation,
        load_test if own_test else None,
        _counts(by_split["test"], classes) if own_test else None,
        flip_invariant=any(len(name) > 1 for name in classes),  # names of one character: digits or letters
        notes=(*left_out, *broken, *more, *_copies(found, root)),
    )


def _common(
    root: Path, by_split: dict[str, list[Photo]], image_size: tuple[int, int] | None
) -> tuple[tuple[int, int], int]:
    """The size, (height, width), and the channels that all images will have."""
    empty = [split for split, group in by_split.items() if not group]
    if empty:
        raise InputError(
            f"the {empty[0]} folders of {str(root)!r} hold no image. Allowed: {', '.join(FORMATS)}."
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
        *_note("images are in two splits, which flatters the score", across),
        *_note("images are there more than once", within),
    ]


def _note(what: str, names: list[str]) -> list[str]:
    return [f"{what} ({len(names)}): {listing(names)}"] if names else []


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _counts(group: Sequence[Photo], classes: tuple[str, ...]) -> list[int]:
    return np.bincount([photo.label for photo in group], minlength=len(classes)).tolist()
