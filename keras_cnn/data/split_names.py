"""Folders that are called like splits."""

import re
from pathlib import Path

from keras_cnn.data.image_files import images_below, sub_folders
from keras_cnn.errors import InputError

# split -> what its folder is called
NAMES = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
SPLITS = {name: split for split, names in NAMES.items() for name in names}
HINT = f"Splits are called {'; '.join(' or '.join(names) for names in NAMES.values())}, in any case."


def split_of(name: str) -> str | None:
    """The split that a folder of this name holds: train for `Train`, `training_set`, `train-data`; None for others."""
    return SPLITS.get(re.sub(r"[ _-]?(set|split|data|images)$", "", name.casefold()))


def check_folder(root: Path, give: str) -> None:
    """Raise InputError if `root` is no folder. give: what a user should give."""
    if root.exists() and not root.is_dir():
        raise InputError(f"{str(root)!r} is a file: unpack an archive first. Give {give}.")
    if not root.is_dir():
        raise InputError(f"there is no folder {str(root)!r}. Give {give}.")


def by_split(root: Path) -> dict[str, Path]:
    """Split -> its folder in `root`, train first. Raises InputError where two folders are the same one."""
    found: dict[str, Path] = {}
    for split in NAMES:
        names = [name for name in sub_folders(root) if split_of(name) == split]
        if len(names) > 1:
            folders = " and ".join(counted(root / name) for name in names)
            raise InputError(
                f"{str(root)!r} has {len(names)} folders for the split {split}: {folders}. Keep one of them."
            )
        if names:
            found[split] = root / names[0]
    return found


def left_out(folders: list[Path], are: str) -> list[str]:
    """The note on folders that are not read, with their numbers of images. are: what they are not."""
    names = ", ".join(map(counted, folders))
    return [f"folders that are no {are} are left out ({len(folders)}): {names}. {HINT}"] if folders else []


def counted(folder: Path) -> str:
    """Its name and its number of images, as in `val (12 images)`."""
    count = len(images_below(folder))
    return f"{folder.name} ({count:,} image{'' if count == 1 else 's'})"
