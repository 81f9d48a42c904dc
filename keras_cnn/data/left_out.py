"""The list of the files of a data set that could not be read, where they are too many to name in a note."""

from pathlib import Path

from keras_cnn.data.dataset import LISTED, ImageData
from keras_cnn.files import write_text

LEFT_OUT = "left_out.txt"


def write_left_out(data: ImageData, path: Path) -> list[str]:
    """Write to `path` what is wrong with each file that is left out, a line a file, if the notes do not name them all.

    Returns:
        The line that says where the list is; nothing if none was written.
    """
    if len(data.left_out) <= LISTED:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "".join(f"{line}\n" for line in data.left_out))
    return [f"all {len(data.left_out):,} files that are left out: {path}"]
