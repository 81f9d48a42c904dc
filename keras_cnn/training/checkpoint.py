"""Weights, and the whole state of a run after an epoch, as NumPy archives.

Keras's own weights files leave out the states of random generators, so a resumed run with dropout would
differ from one never stopped; and HDF5, in which they are written, crashes the process on a full disk.
"""

import io
import json
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from keras_cnn.files import write_file


def save_weights(path: Path, model: keras.Model) -> None:
    """Replace `path` (.npz) by the weights of `model`, by their paths: `block1_conv1/kernel`, ..."""
    _write(path, {weight.path: weight for weight in model.weights})


def load_weights(path: Path, model: keras.Model) -> None:
    """Give `model` the weights that `save_weights` wrote for one of the same spec."""
    with np.load(path) as saved:
        model.set_weights([saved[weight.path] for weight in model.weights])


def save_state(path: Path, model: keras.Model, progress: dict) -> None:
    """Replace `path` (.npz) by all variables of the compiled `model`, and `progress` (plain data)."""
    variables = {str(index): variable for index, variable in enumerate(_variables(model))}
    _write(path, {**variables, "progress": np.array(json.dumps(progress))})


def restore_state(path: Path, model: keras.Model) -> dict:
    """Give the compiled `model` the state in `path`; returns the progress. Call it in the strategy's scope."""
    model.optimizer.build(model.trainable_variables)
    with np.load(path) as saved:
        for index, variable in enumerate(_variables(model)):
            variable.assign(saved[str(index)])
        return json.loads(str(saved["progress"]))


def _variables(model: keras.Model) -> Iterable[keras.Variable]:
    """Weights, batch statistics and random states, then the optimizer's, in the order of their making."""
    return [*model.variables, *model.optimizer.variables]


def _write(path: Path, arrays: dict) -> None:
    content = io.BytesIO()
    values = {name: keras.ops.convert_to_numpy(value) for name, value in arrays.items()}
    np.savez(content, **values)  # type: ignore[arg-type]
    write_file(path, lambda temporary_path: temporary_path.write_bytes(content.getbuffer()))
