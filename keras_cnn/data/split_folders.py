"""Which folders hold the classes of an image folder: its own sub-folders, or those of train, val and test."""

from pathlib import Path

from keras_cnn.data.dataset import listing
from keras_cnn.errors import InputError

SPLITS = {
    "train": "train",
    "val": "validation",
    "validation": "validation",
    "test": "test",
}  # folder -> split


def find(root: Path) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Split -> the folder of its class folders (`train` alone where that is `root`), and the class names.

    Classes are sorted by name, hidden folders left out. Raises InputError where there is no such layout, or
    where the class folders of the splits differ.
    """
    if not root.is_dir():
        raise InputError(
            f"there is no folder {str(root)!r}. Give folder:PATH, with one sub-folder a class in it."
        )
    layout = _splits(root)
    classes = _folders(layout["train"])
    if len(classes) < 2:
        raise InputError(
            f"{str(layout['train'])!r} needs one sub-folder a class, two or more, but has "
            f"{f'{classes[0]!r} alone' if classes else 'none'}."
        )
    for split, folder in layout.items():
        _check_same(layout["train"], classes, split, folder)
    return layout, tuple(classes)


def _splits(root: Path) -> dict[str, Path]:
    names = _folders(root)
    known = [name for name in SPLITS if name in names]
    # A class may be called `train`: beside others it is a split only where it holds folders itself.
    if not known or (len(known) < len(names) and not ("train" in known and _folders(root / "train"))):
        return {"train": root}
    roles = [SPLITS[name] for name in known]
    if "train" not in roles or len(set(roles)) < len(roles):
        raise InputError(
            f"{str(root)!r} has the folders {', '.join(known)}. Needed is train, allowed one val and one test."
        )
    return {role: root / name for role, name in zip(roles, known, strict=True)}


def _check_same(train: Path, classes: list[str], split: str, folder: Path) -> None:
    here = _folders(folder)
    only_train, only_here = (sorted(set(a) - set(b)) for a, b in ((classes, here), (here, classes)))
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


def _folders(root: Path) -> list[str]:
    """Sorted names of the sub-folders, without hidden ones and those that archives leave (`__MACOSX`)."""
    return sorted(
        path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))
    )
