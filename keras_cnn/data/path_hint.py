"""What to write for a path that was given as the name of a data set."""

import shlex
from pathlib import Path

from keras_cnn.errors import InputError

# prefixes that were meant to be folder: or pairs:
MISSPELLED = {
    **dict.fromkeys(("folder", "folders", "dir", "directory", "path", "file", "images"), "folder"),
    **dict.fromkeys(("pair", "pairs", "mask", "masks"), "pairs"),
}


def looks_like_path(name: str) -> bool:
    """Whether a name cannot be one of TensorFlow Datasets: `/photos`, `./photos`, `~/photos`, `Folder:/photos`."""
    return name.startswith(("/", ".", "~")) or name.partition(":")[0].casefold() in MISSPELLED


def path_hint(name: str) -> InputError | None:
    """The error for an unknown data set that is a path or looks like one; None for every other name."""
    prefix, colon, rest = name.partition(":")
    if colon and prefix.casefold() in MISSPELLED:
        meant = shlex.quote(f"{MISSPELLED[prefix.casefold()]}:{rest}")
        return InputError(f"unknown data set {name!r}. Did you mean {meant}?")
    path = Path(name).expanduser()
    if not name:
        return None
    if path.is_dir():
        return InputError(f"{name!r} is a folder: give {_as_data_set(name, path)}.")
    if path.exists():
        return InputError(
            f"{name!r} is a file: give folder:PATH or pairs:PATH of a folder of images; unpack an archive first."
        )
    if looks_like_path(name):
        return InputError(
            f"there is no folder {name!r}. Images of your own are folder:PATH, with one sub-folder a class, or "
            "pairs:PATH, with folders image and label."
        )
    return None


def _as_data_set(name: str, path: Path) -> str:
    pairs, folder = (shlex.quote(f"{prefix}:{name}") for prefix in ("pairs", "folder"))
    if all((path / part).is_dir() for part in ("image", "label")):
        return f"{pairs} for its images with masks"
    return f"{folder} if it holds one sub-folder a class, or {pairs} if it holds images with masks"
