"""A data set by its name: `digits`, `folder:PATH`, `pairs:PATH` (images with masks), or one of TensorFlow Datasets."""

import importlib
from collections.abc import Callable
from pathlib import Path

from keras_cnn.data.dataset import ImageData, RawSplits
from keras_cnn.data.path_hint import looks_like_path, path_hint
from keras_cnn.data.splits import assemble
from keras_cnn.errors import InputError


def load(
    name: str,
    *,
    image_size: tuple[int, int] | None = None,
    validation_split: float = 0.1,
    split_seed: int = 0,
    download: bool = False,
) -> ImageData:
    """Load a data set; train and validation are read into memory, test when `load_test()` is called.

    Args:
        name: `digits`, `folder:PATH`, `pairs:PATH`, or the name of a TensorFlow Datasets set.
        image_size: (height, width) to resize every image to; None keeps the images' own size, which must be one.
        validation_split: share of the training images, in (0, 1), to validate on where the source has no validation
            split. Where it has no test split, a fixed fifth is held out before.
        split_seed: seed of the validation split.
        download: whether a TensorFlow Datasets set may be downloaded; without it the network is never used.

    Returns:
        The data set with its splits and facts.

    Raises:
        InputError: if the name, a value or the data are wrong; the message is one line.
    """
    _check_values(image_size, validation_split, split_seed)
    size = (image_size[0], image_size[1]) if image_size else None
    return assemble(name, _read(name, size, download), validation_split, split_seed)


def _digits(_path: str, image_size: tuple[int, int] | None) -> RawSplits:
    from keras_cnn.data import digits

    return digits.read(image_size)


def _on_disk(prefix: str, module: str, holds: str) -> Callable[[str, tuple[int, int] | None], RawSplits]:
    """A source that reads a folder. holds: what must be in it."""

    def read(path: str, image_size: tuple[int, int] | None) -> RawSplits:
        if not path:
            raise InputError(f"{prefix}: lacks its path. Give {prefix}:PATH, with {holds} in it.")
        source = importlib.import_module(f"keras_cnn.data.{module}")
        try:
            return source.read(Path(path).expanduser(), image_size)
        except OSError as error:
            raise InputError(f"cannot read {prefix}:{path}: {error}.") from error

    return read


# every other name is one of TensorFlow Datasets
SOURCES: dict[str, Callable[[str, tuple[int, int] | None], RawSplits]] = {
    "digits": _digits,
    "folder:": _on_disk("folder", "image_folder", "one sub-folder a class"),
    "pairs:": _on_disk("pairs", "mask_folder", "folders image and label"),
}


def _read(name: str, image_size: tuple[int, int] | None, download: bool) -> RawSplits:
    kind, colon, path = name.partition(":")
    if kind + colon in SOURCES:
        return SOURCES[kind + colon](path, image_size)
    if looks_like_path(name) and (hint := path_hint(name)):  # without importing TensorFlow Datasets first
        raise hint
    from keras_cnn.data import tfds

    return tfds.read(name, image_size, download)


def _check_values(image_size: object, validation_split: float, split_seed: int) -> None:
    if image_size is not None and not _is_size(image_size):
        raise InputError(
            f"image_size must be two positive whole numbers, height and width, not {image_size!r}. "
            "Example: --image_size 96 96."
        )
    if not 0 < validation_split < 1:
        raise InputError(f"validation_split must lie between 0 and 1, not {validation_split!r}. Usual: 0.1.")
    if not 0 <= split_seed < 2**32:
        raise InputError(f"split_seed must be a whole number from 0 to {2**32 - 1}, not {split_seed!r}.")


def _is_size(value: object) -> bool:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return False
    return all(type(side) is int and side > 0 for side in value)
