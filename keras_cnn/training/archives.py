"""Whether NumPy archives are what was written; without Keras, for what only looks at runs."""

import zipfile
from pathlib import Path

from keras_cnn.input_files import check_file

MAX_BYTES = 1_000_000_000_000  # none is so large: of an archive only its kind is checked before it is read


def is_whole(path: Path) -> bool:
    """Whether every array of the archive `path` matches its checksum (CRC-32)."""
    try:
        check_file(path, MAX_BYTES)  # a pipe would never end
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except Exception:  # zipfile raises a dozen kinds of errors for bytes that are no archive
        return False
