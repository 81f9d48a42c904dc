"""Finding a set of TensorFlow Datasets (TFDS) on disk, and downloading it."""

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from keras_cnn.data.path_hint import path_hint
from keras_cnn.errors import InputError, in_one_line, unknown_name

if TYPE_CHECKING:
    import tensorflow_datasets as tfds


def data_dir() -> Path:
    """The folder of all sets: TFDS_DATA_DIR, or TFDS's usual one in the home directory."""
    return Path(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()


def on_disk() -> list[str]:
    """Names of the prepared sets in `data_dir()`, `set` or `set/config`, sorted."""
    depths = ("*/*/features.json", "*/*/*/features.json")  # set/version, set/config/version
    found = {path.parent.parent for depth in depths for path in data_dir().glob(depth)}
    return sorted(path.relative_to(data_dir()).as_posix() for path in found)


def find(name: str, download: bool) -> "tfds.core.DatasetBuilder":
    """The builder of a set on disk, fetched before if `download` allows it.

    Asks the disk alone first: TFDS itself would try the network for minutes before it gives up. Raises
    InputError where the set is not there, or cannot be had.
    """
    from tensorflow_datasets.core import DatasetNotFoundError
    from tensorflow_datasets.core.read_only_builder import builder_from_files

    try:
        return builder_from_files(name, data_dir=data_dir())
    except (DatasetNotFoundError, ValueError, TypeError):  # the latter two: a name TFDS cannot parse
        _check_known(name)
    if download:
        return _fetch(name)
    raise InputError(
        f"{name!r} is not in {data_dir()}, where there is: {', '.join(on_disk()) or 'nothing'}. "
        "Fetch it with --download, or set TFDS_DATA_DIR to the folder that holds it."
    )


def _check_known(name: str) -> None:
    import tensorflow_datasets as tfds

    known = tfds.list_builders(
        with_community_datasets=False
    )  # some 450 names, of which only similar ones are listed
    base = name.partition(":")[0].partition("/")[0]
    if base not in known:
        if hint := path_hint(name):
            raise hint
        close = difflib.get_close_matches(base, known, n=3)
        raise unknown_name("data set", name, {"digits", "folder:PATH", "pairs:PATH", *on_disk(), *close})


def _fetch(name: str) -> "tfds.core.DatasetBuilder":
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir(), try_gcs=False)
        builder.download_and_prepare()
    except Exception as error:  # no network, a full disk, a package that this set needs, files to get by hand
        reason = in_one_line(error) or type(error).__name__
        raise InputError(f"cannot fetch {name!r} into {data_dir()}: {reason}.") from error
    return builder
