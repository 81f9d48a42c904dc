"""Weights, and the whole state of a run after an epoch, as NumPy archives.

Keras's own weights files leave out the states of random generators, so a resumed run with dropout would
differ from one never stopped; and HDF5, in which they are written, crashes the process on a full disk.

An archive has a checksum (CRC-32) of each array, which is verified as the array is read.
"""

import contextlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import keras
import numpy as np

from keras_cnn.errors import DamagedFileError, InputError
from keras_cnn.files import write_file
from keras_cnn.input_files import check_file
from keras_cnn.training.archives import MAX_BYTES

EXTRA = "extra:"  # what the names of arrays begin with that are no variables of the model


def save_weights(path: Path, model: keras.Model, by_position: bool = False) -> None:
    """Replace `path` (.npz) by the weights of `model`, by their paths: `block1_conv1/kernel`, ...

    by_position: by their places in `model.weights` instead, as for a model of the user's own: its paths may differ
    between the model as it was made and as it was loaded, and need not be unique.
    """
    _write(path, dict(zip(_names(model, by_position), model.weights, strict=True)))


def load_weights(path: Path, model: keras.Model) -> None:
    """Give `model` the weights that `save_weights` wrote, by path or position, for one of the same layers.

    Raises:
        DamagedFileError: if they are not what was written, or those of another model.
    """
    with _arrays(path) as saved:
        by_position = all(name.isdecimal() for name in saved.files)
        found = [tuple(weight.shape) for weight in model.weights]
        shapes = dict(zip(_names(model, by_position), found, strict=True))
        values = _read(path, saved, shapes)
    model.set_weights(list(values.values()))


def save_state(
    path: Path, model: keras.Model, progress: dict, arrays: Mapping[str, np.ndarray] | None = None
) -> None:
    """Replace `path` (.npz) by all variables of the compiled `model`, `progress` (plain data) and `arrays`."""
    variables = {str(index): variable for index, variable in enumerate(_variables(model))}
    others = {f"{EXTRA}{name}": array for name, array in (arrays or {}).items()}
    _write(path, {**variables, **others, "progress": np.array(json.dumps(progress))})


def restore_state(path: Path, model: keras.Model) -> dict:
    """Give the compiled `model` the state in `path`; returns the progress. Call it in the strategy's scope.

    Raises:
        DamagedFileError: if it is not what was written, or that of another model; then `model` is unchanged.
    """
    variables = {str(index): variable for index, variable in enumerate(_variables(model))}
    with _arrays(path) as saved:
        shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
        values = _read(path, saved, {**shapes, "progress": ()})
        progress = json.loads(str(values.pop("progress")))
    for name, value in values.items():
        variables[name].assign(value)
    return progress


def read_progress(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """The progress and the further arrays that `save_state` wrote.

    Raises:
        DamagedFileError: if they are not what was written.
    """
    with _arrays(path) as saved:
        others = {name.removeprefix(EXTRA): saved[name] for name in saved.files if name.startswith(EXTRA)}
        return json.loads(str(saved["progress"])), others


@contextlib.contextmanager
def _arrays(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    check_file(path, MAX_BYTES)
    try:
        with np.load(path) as saved:
            yield saved
    except (InputError, MemoryError):
        raise
    except Exception as error:  # as in `is_whole`; a wrong checksum among them
        raise DamagedFileError(path, error) from None


def _read(path: Path, saved: np.lib.npyio.NpzFile, shapes: dict[str, tuple]) -> dict[str, np.ndarray]:
    values = {name: saved[name] for name in shapes if name in saved.files}
    differing = [name for name, shape in shapes.items() if name not in values or values[name].shape != shape]
    if differing or sum(not name.startswith(EXTRA) for name in saved.files) != len(shapes):
        raise DamagedFileError(
            path,
            f"it is of another model: {len(differing)} of {len(shapes)} arrays are missing or have other shapes",
        )
    return values


def _names(model: keras.Model, by_position: bool) -> list[str]:
    return [str(place) if by_position else weight.path for place, weight in enumerate(model.weights)]


def _variables(model: keras.Model) -> Iterable[keras.Variable]:
    """Weights, batch statistics and random states, then the optimizer's, in the order of their making."""
    return [*model.variables, *model.optimizer.variables]


def _write(path: Path, arrays: dict) -> None:
    content = io.BytesIO()
    values = {name: keras.ops.convert_to_numpy(value) for name, value in arrays.items()}
    np.savez(content, **values)  # type: ignore[arg-type]
    write_file(path, lambda temporary_path: temporary_path.write_bytes(content.getbuffer()))
