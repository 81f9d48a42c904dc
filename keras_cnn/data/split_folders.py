"""Which folders hold the classes of an image folder: its own sub-folders, or those of train, val and test."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from keras_cnn.data.dataset import listing
from keras_cnn.data.image_files import images_in, sub_folders
from keras_cnn.data.split_names import HINT, by_split, check_folder, counted, left_out, split_of
from keras_cnn.errors import InputError


@dataclass(frozen=True)
class Layout:
    """Where the images of an image folder are.

    Args:
        folders: split -> the folder of its class folders; `train` alone where that is the root.
        classes: names of the class folders, sorted.
        notes: what is left out, and what a folder that is called like a split was taken for.
    """

    folders: dict[str, Path]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def find(root: Path) -> Layout:
    """Find splits and classes below `root`; junk such as hidden folders is no class.

    Raises InputError where there is no such layout, where two folders are the same split, or where the class folders
    of the splits differ.
    """
    check_folder(root, "folder:PATH, with one sub-folder a class in it")
    names = sub_folders(root)
    splits = [name for name in names if split_of(name)]
    others = [name for name in names if name not in splits]
    if not _are_splits(root, splits, others):
        notes = _read_as_classes(root, splits, others)
        return Layout({"train": root}, _classes(root), (*notes, *_loose(root, root)))
    folders, unlabeled = _labeled(by_split(root))
    classes = _classes(folders["train"])
    for split, folder in folders.items():
        _check_same(folders["train"], classes, split, folder)
    loose = [note for folder in (root, *folders.values()) for note in _loose(root, folder)]
    return Layout(
        folders, classes, (*left_out([root / name for name in others], "split"), *unlabeled, *loose)
    )


def _are_splits(root: Path, splits: list[str], others: list[str]) -> bool:
    """Whether folders called like splits are such, not classes (of vehicles, one may be `train`)."""
    roles = {split_of(name) for name in splits}
    if not splits or not others:
        return bool(splits)
    if len(roles) > 1:  # beside others, a train that holds folders, and another split
        return any(sub_folders(root / name) for name in splits if split_of(name) == "train")
    return roles == {"train"} and all(
        len(sub_folders(root / name)) > 1 and not images_in(root / name) for name in splits
    )


def _read_as_classes(root: Path, splits: list[str], others: list[str]) -> list[str]:
    for name in splits:
        same = sorted(set(sub_folders(root / name)) & set(others))
        if len(same) > 1:
            raise InputError(
                f"{str(root)!r} has the folders {listing(same)} beside {name}, which has folders of the same names. "
                f"If {name} is a split, move the others into a folder train; if it is a class, rename it."
            )
    if not splits:
        return []
    return [f"read as classes, not as splits, for what is beside them: {', '.join(splits)}"]


def _labeled(folders: dict[str, Path]) -> tuple[dict[str, Path], list[str]]:
    """`folders` but those whose images have no class, and the notes on the latter."""
    if "train" not in folders:
        names = ", ".join(folder.name for folder in folders.values())
        root = str(next(iter(folders.values())).parent)
        raise InputError(
            f"{root!r} has the folders {names}. Needed is train, allowed one val and one test. {HINT}"
        )
    unlabeled = {
        split: folder
        for split, folder in folders.items()
        if split != "train" and images_in(folder) and not sub_folders(folder)
    }
    notes = [
        f"{counted(folder)} has no class folders and is left out as {split}"
        for split, folder in unlabeled.items()
    ]
    return {split: folder for split, folder in folders.items() if split not in unlabeled}, notes


def _classes(folder: Path) -> tuple[str, ...]:
    names = sub_folders(folder)
    if len(names) > 1:
        return tuple(names)
    has, deeper = "none", ""
    if names:
        has = f"{names[0]!r} alone"
        inner = shlex.quote(f"folder:{folder / names[0]}")
        deeper = (
            f" If those in {names[0]} are the classes, give {inner}."
            if sub_folders(folder / names[0])
            else ""
        )
    raise InputError(f"{str(folder)!r} needs one sub-folder a class, two or more, but has {has}.{deeper}")


def _check_same(train: Path, classes: tuple[str, ...], split: str, folder: Path) -> None:
    here = sub_folders(folder)
    only_train, only_here = sorted(set(classes) - set(here)), sorted(set(here) - set(classes))
    if only_train or only_here:
        found = [
            f"{where} alone has {listing(names)}"
            for where, names in (("train", only_train), (split, only_here))
            if names
        ]
        raise InputError(
            f"the class folders of train and {split} differ: {'; '.join(found)}. "
            f"Give {str(train)!r} and {str(folder)!r} the same ones."
        )


def _loose(root: Path, folder: Path) -> list[str]:
    """The note on images beside the class folders, which have no class."""
    names = [path.relative_to(root).as_posix() for path in images_in(folder)]
    return (
        [f"images outside of the class folders are left out ({len(names)}): {listing(names)}"]
        if names
        else []
    )
