"""A .keras file of a user, whose sizes are checked before anything of them is allocated."""

import json
import math
import zipfile
from pathlib import Path

import keras

from keras_cnn.errors import InputError, in_one_line
from keras_cnn.input_files import check_file, in_units
from keras_cnn.models.unallocated import unallocated

CONFIG = "config.json"
MAX_BYTES = 10_000_000_000  # of the file, and of what it unpacks to
MAX_CONFIG_BYTES = 4_000_000  # NASNetLarge, of 1,039 layers, has 0.8 MB
# Keras stores weights as they are; float32 of a trained net shrinks by a tenth, zeros by a factor of 1000
MAX_UNPACKING_RATIO = 20
SMALL_BYTES = 100_000_000  # what any file may unpack to
INSTEAD = "Give MODULE:FUNCTION, which builds the model."


def load_keras_file(path: Path) -> keras.Model:
    """The model in a .keras file.

    Args:
        path: the file.

    Returns:
        The model with its weights.

    Raises:
        InputError: if it is no such file, or damaged; if it unpacks to far more than its own size; if its layers have
            more weights than the file holds; if it has layers that Keras does not know.
    """
    check_file(path, MAX_BYTES)
    try:
        weights_bytes, config = _contents(path)
        _check_weights(path, config, weights_bytes)
        return keras.saving.load_model(path)
    except InputError:
        raise
    except RecursionError:
        raise InputError(f"{path} cannot be loaded: its {CONFIG} is nested too deeply. {INSTEAD}") from None
    except Exception as error:  # layers raise whatever they stumble on in a config
        raise InputError(
            f"{path} cannot be loaded: {_reason(error)}. Give MODULE:FUNCTION if it has custom layers."
        ) from error


def _reason(error: Exception) -> str:
    """Keras quotes the whole config before it says what went wrong."""
    cause = ValueError(str(error).rpartition("Exception encountered:")[2])
    return in_one_line(cause).rstrip(".") or type(error).__name__


def _contents(path: Path) -> tuple[int, dict]:
    """The bytes that the archive unpacks to, and its config."""
    with zipfile.ZipFile(path) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        unpacked, own = sum(sizes.values()), path.stat().st_size
        most = min(MAX_BYTES, max(SMALL_BYTES, MAX_UNPACKING_RATIO * own))
        if unpacked > most:
            raise InputError(
                f"{path} has {in_units(own)} and unpacks to {in_units(unpacked)}; at most {in_units(most)} are "
                f"unpacked. {INSTEAD}"
            )
        if sizes.get(CONFIG, 0) > MAX_CONFIG_BYTES:
            raise InputError(
                f"{path} has a {CONFIG} of {in_units(sizes[CONFIG])}; at most {in_units(MAX_CONFIG_BYTES)} are read. "
                f"{INSTEAD}"
            )
        return unpacked, json.loads(archive.read(CONFIG))


def _check_weights(path: Path, config: dict, stored_bytes: int) -> None:
    """Raise InputError if the layers of `config` have more weights than so many bytes can hold."""
    with unallocated():
        model = keras.saving.deserialize_keras_object({**config, "compile_config": None})
    count = sum(math.prod(weight.shape) for weight in model.weights)
    if count > stored_bytes:  # no weight is stored in less than a byte
        raise InputError(
            f"{path} describes {count:,} weights, and what it holds has {in_units(stored_bytes)}: it is damaged or not "
            f"what Keras saved. {INSTEAD}"
        )
