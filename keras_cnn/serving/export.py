"""Export the best weights of a run as a SavedModel that serves what was measured, and prove that it does."""

import contextlib
import functools
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from keras_cnn.data.dataset import ImageData
from keras_cnn.data.sources import load
from keras_cnn.directories import held
from keras_cnn.errors import ExportMismatchError, InputError
from keras_cnn.files import sync_folder, sync_tree, write_json, write_text
from keras_cnn.serving.card import make_card
from keras_cnn.serving.checksums import write_checksums
from keras_cnn.serving.convert import write_formats
from keras_cnn.serving.endpoints import write_saved_model
from keras_cnn.serving.formats import check_formats
from keras_cnn.serving.read_image import as_model_takes
from keras_cnn.serving.readme import readme
from keras_cnn.serving.versions import version_folders
from keras_cnn.task import REGRESSION, TASKS
from keras_cnn.training.make_model import best_model
from keras_cnn.training.results import measure_on_test
from keras_cnn.training.run_directory import Run, chosen_run, read_finished, read_run

logger = logging.getLogger(__name__)

TOLERANCE = {"float32": 1e-6}
MIXED_TOLERANCE = 1e-3  # half precision rounds differently when TensorFlow fuses another graph
# of values, which are rounded in proportion to terms that may be larger; relative to the largest value
VALUES_TOLERANCE = {"float32": 1e-4}
MIXED_VALUES_TOLERANCE = 2e-2
CHECKED_IMAGES = 32
WRITING = ".writing-"  # what the name of a version begins with until it is whole


def export_run(
    directory: Path, destination: Path, *, formats: Sequence[str] = (), data: ImageData | None = None
) -> Path:
    """Write the next numbered version below `destination` (TensorFlow Serving's layout), whole or not at all.

    Input `images`: (B, H, W, C), uint8 in 0..255 or float32 in the data's value range; output `probabilities`: float32
    (B, classes), or (B, H', W', classes) of masks, for windows of the size trained on; of regression `values`. A
    card.json in it has classes, data, settings, metrics and versions.

    Args:
        directory: of a run, or of a study, which stands for its best trial.
        destination: the folder of the versions.
        formats: names of `formats.FORMATS` to write beside it.
        data: those that the run was trained on, if they are loaded already.

    Returns:
        The version's directory.

    Raises:
        InputError: if `directory` is no finished run or a format is unknown.
        ExportMismatchError: if what is served is not what was measured.
    """
    check_formats(formats)
    run = read_run(chosen_run(directory))
    if formats and run.facts.task == REGRESSION.name:
        names = ", ".join(formats)
        raise InputError(
            f"{names} are for models of probabilities, not of {REGRESSION.name}: leave formats out."
        )
    metrics = read_finished(run.directory)
    model = best_model(run.settings, run.facts, run.directory)
    loaded = functools.cache(lambda: run.checked(data or load(**run.settings.load_arguments())))
    test = measure_on_test(run, lambda: loaded().load_test())
    with held(destination, wait=True), _temporary(destination) as temporary_path:
        whole_images = tuple(model.input_shape[1:]) == run.facts.shape
        write_saved_model(
            model,
            run.facts.classes,
            str(temporary_path),
            whole_images,
            run.facts.dtype,
            run.facts.value_range,
            TASKS[run.facts.task],
        )
        difference = _difference(model, run, temporary_path)
        logger.info(f"served in a process without Keras: differs from predict by at most {difference:.1e}")
        others = write_formats(formats, run, loaded(), test, temporary_path) if formats else {}
        version = _next_version(destination)
        card = make_card(
            model, run, metrics, test, version.parent.name, int(version.name), difference, others
        )
        write_json(temporary_path / "card.json", card)
        write_text(temporary_path / "README.md", readme(card))
        write_checksums(temporary_path)
        temporary_path.chmod(0o755)
        sync_tree(temporary_path)
        temporary_path.rename(version)
        sync_folder(destination)
    return version


@contextlib.contextmanager
def _temporary(destination: Path) -> Iterator[Path]:
    """A folder in `destination`, which this process holds; those that killed exports have left are deleted."""
    for path in destination.glob(f"{WRITING}*"):
        shutil.rmtree(path, ignore_errors=True)
    temporary_path = Path(tempfile.mkdtemp(prefix=WRITING, dir=destination))
    try:
        yield temporary_path
    finally:
        shutil.rmtree(temporary_path, ignore_errors=True)


def _difference(model: keras.Model, run: Run, path: Path) -> float:
    """The largest difference between `predict` and the SavedModel, served in a separate process."""
    pixels = np.random.default_rng(0).integers(0, 256, (CHECKED_IMAGES, *model.input_shape[1:]), np.uint8)
    images = as_model_takes(pixels, run.facts)
    expected = model.predict(images, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        given, answered = f"{folder}/images.npz", f"{folder}/outputs.npz"
        np.savez(given, images=images, pixels=pixels)
        script = Path(__file__).with_name("verify_export.py")
        process = subprocess.run(
            [sys.executable, "-I", script, path, given, answered, TASKS[run.facts.task].output],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        if process.returncode:
            raise ExportMismatchError(f"the SavedModel cannot be served:\n{process.stderr[-2000:]}")
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


def _next_version(destination: Path) -> Path:
    return destination / str(max(version_folders(destination), default=0) + 1)
