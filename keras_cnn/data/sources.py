"""A data set in memory, or by its name: `digits`, `folder:PATH`, `pairs:PATH` (images with masks), MODULE:FUNCTION, or
one of TensorFlow Datasets."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from keras_cnn.data import arrays
from keras_cnn.data.dataset import ImageData, RawSplits
from keras_cnn.data.path_hint import looks_like_path, path_hint
from keras_cnn.data.splits import assemble
from keras_cnn.errors import InputError, unknown_name
from keras_cnn.function_import import import_function, is_function_name
from keras_cnn.task import TASKS


def load(
    data: Any,
    *,
    image_size: tuple[int, int] | None = None,
    validation_split: float = 0.1,
    split_seed: int = 0,
    download: bool = False,
    class_names: Sequence[str] | None = None,
    value_range: tuple[float, float] | None = None,
    task: str | None = None,
) -> ImageData:
    """Load a data set; train and validation are read into memory, test when `load_test()` is called.

    Args:
        data: one of

            - arrays `(x, y)`: images (N, H, W) or (N, H, W, C) of any numeric type, and labels (N,) of numbers, strings
              or bools, one-hot rows (N, K), masks (N, H, W), rows of 0 and 1 for several labels an image (N, K), or
              values for regression (N,) or (N, K);
            - `((x, y), (x, y))`, train and validation, or `(train, validation, test)`; validation and test may be
              None. Of `keras.datasets`, which return train and test: `train, test = mnist.load_data()`, then
              `load((train, None, test))`;
            - a `tf.data.Dataset` of (x, y), single examples or batches, or a `keras.utils.PyDataset`, alone or as one
              of the splits above; it is read once, into memory;
            - a data frame (pandas, Polars, ...) with a column `path` of image files and a column `label`, alone
              or as one of the splits above;
            - `digits`, `folder:PATH`, `pairs:PATH`, or the name of a TensorFlow Datasets set;
            - `MODULE:FUNCTION`, a function that returns any of these, or what `load` returned.
        image_size: (height, width) to resize every image to; None keeps the images' own size, which must be one.
        validation_split: share of the training images, in (0, 1), to validate on where the source has no validation
            split. Where it has no test split, a fixed fifth is held out before.
        split_seed: seed of the validation split.
        download: whether a TensorFlow Datasets set may be downloaded; without it the network is never used.
        class_names: of arrays, the names of the classes, in the order of the labels; None for the labels themselves.
            Of several labels or values an image, the names of the columns.
        value_range: of arrays, the smallest and the largest value that a pixel may have; None for (0, 1), (-1, 1),
            (0, 255), (0, 4095) or (0, 65535), if the training images use it, else their own.
        task: of arrays, what their labels are: classification, segmentation, multi_label or regression; None to find it
            in the labels: rows of 0 and 1 that do not all have a single 1 are multi_label, numbers that are not whole
            regression.

    Returns:
        The data set with its splits and facts.

    Raises:
        InputError: if the name, a value or the data are wrong; the message is one line.
    """
    _check_values(image_size, validation_split, split_seed)
    if task is not None and task not in TASKS:
        raise unknown_name("task", task, TASKS)
    size = (image_size[0], image_size[1]) if image_size else None
    arguments = {
        "image_size": size,
        "validation_split": validation_split,
        "split_seed": split_seed,
        "task": task,
    }
    if not isinstance(data, str):
        raw = arrays.read(data, size, class_names, value_range, task)
        return _assembled(arrays.ARRAYS, raw, arguments)
    for name, value in (("class_names", class_names), ("value_range", value_range)):
        if value is not None:
            raise InputError(f"{name} goes with arrays: {data!r} says itself what its images are.")
    if is_function_name(data) and not looks_like_path(data):
        return _from_function(data, arguments)
    raw = _read(data, size, download)
    _check_task(data, raw.task, task)
    return _assembled(data, raw, arguments)


def _assembled(name: str, raw: RawSplits, arguments: dict) -> ImageData:
    data = assemble(name, raw, arguments["validation_split"], arguments["split_seed"])
    return replace(data, load_arguments=arguments)


def _from_function(name: str, arguments: dict) -> ImageData:
    """What the function `name` returns, loaded."""
    data = import_function(name)()
    if isinstance(data, str):
        data = load(data, **arguments)
    if isinstance(data, ImageData):
        _check_task(name, data.facts.task, arguments["task"])
        return replace(data, facts=replace(data.facts, name=name), load_arguments=arguments)
    return _assembled(name, arrays.read(data, arguments["image_size"], task=arguments["task"]), arguments)


def _check_task(name: str, found: str, wanted: str | None) -> None:
    if wanted not in (None, found):
        raise InputError(
            f"task={wanted!r} does not fit {name!r}, whose labels are those of {found}: leave it out."
        )


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
    if name == arrays.ARRAYS:
        raise InputError(
            "the data were arrays in memory, which are not stored: give them again, keras_cnn.TrainingRun(directory, "
            "data), or train with a function that returns them, MODULE:FUNCTION."
        )
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
