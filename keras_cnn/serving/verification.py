"""The proof that a SavedModel serves what was measured: a process without Keras, compared with `predict`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

from keras_cnn.errors import ExportMismatchError
from keras_cnn.serving.read_image import as_model_takes
from keras_cnn.task import REGRESSION, TASKS
from keras_cnn.training.run_directory import Run

TOLERANCE = {"float32": 1e-6}
MIXED_TOLERANCE = 1e-3  # half precision rounds differently when TensorFlow fuses another graph
# of values, which are rounded in proportion to terms that may be larger; relative to the largest value
VALUES_TOLERANCE = {"float32": 1e-4}
MIXED_VALUES_TOLERANCE = 2e-2
CHECKED_IMAGES = 32


class ServingProcess:
    """A process that imports TensorFlow while this one builds the model, and then serves one SavedModel.

    A context manager, which ends the process.
    """

    def __enter__(self) -> "ServingProcess":
        script = Path(__file__).with_name("verify_export.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        return self

    def __exit__(self, *error) -> None:
        self._process.kill()
        self._process.communicate()

    def serve(self, *arguments: str) -> None:
        """Serve what the `arguments` of verify_export.py name.

        Raises:
            ExportMismatchError: if the process fails, as for a model that cannot be served.
        """
        _, errors = self._process.communicate(json.dumps(arguments))
        if self._process.returncode:
            raise ExportMismatchError(f"the SavedModel cannot be served:\n{errors[-2000:]}")


def served_difference(model: keras.Model, run: Run, path: Path, server: ServingProcess) -> float:
    """The largest difference between `predict` and the SavedModel in `path`.

    Raises:
        ExportMismatchError: if it is more than rounding explains.
    """
    pixels = np.random.default_rng(0).integers(0, 256, (CHECKED_IMAGES, *model.input_shape[1:]), np.uint8)
    images = as_model_takes(pixels, run.facts)
    expected = model.predict(images, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        given, answered = f"{folder}/images.npz", f"{folder}/outputs.npz"
        np.savez(given, images=images, pixels=pixels)
        server.serve(str(path), given, answered, TASKS[run.facts.task].output)
        scale, tolerance = _allowed(expected, run)
        with np.load(answered) as found:
            difference = max(
                float((np.abs(found[name] - expected[: len(found[name])]) / scale).max())
                for name in found.files
            )
    if not difference <= tolerance:
        raise ExportMismatchError(
            f"the SavedModel differs from predict by {difference:.1e}; nothing was exported"
        )
    return difference


def _allowed(expected: np.ndarray, run: Run) -> tuple[np.ndarray, float]:
    """(what differences are relative to (K,), the largest difference allowed)."""
    precision = run.settings.precision
    if TASKS[run.facts.task] != REGRESSION:
        return np.ones(1), TOLERANCE.get(precision, MIXED_TOLERANCE)
    largest = np.abs(expected).max(axis=0)
    scale = np.where(largest > 0, largest, 1.0)
    return scale, VALUES_TOLERANCE.get(precision, MIXED_VALUES_TOLERANCE)
