"""Export the best weights of a run as a SavedModel that serves what was measured, and prove that it does."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.data.sources import load
from keras_cnn.files import read_json, sync_folder, write_json
from keras_cnn.provenance import provenance
from keras_cnn.runs import METRICS, Run, read_run
from keras_cnn.training.run import measure_on_test
from keras_cnn.training.tasks import OBJECTIVES
from keras_cnn.training.train import best_model

TOLERANCE = {"float32": 1e-6}
MIXED_TOLERANCE = 1e-3  # half precision rounds differently when TensorFlow fuses another graph
CHECKED_IMAGES = 32


class NotEqual(Exception):
    """The exported model does not serve what the trained one predicts."""


def export_run(directory: Path, destination: Path, *, say: Callable[[str], None]) -> Path:
    """Write the next numbered version below `destination` (TensorFlow Serving's layout); returns its path.

    Input `images`: uint8 (B, H, W, C), 0..255; output `probabilities`: float32 (B, classes), or (B, H', W', classes) of
    masks, for windows of the size trained on. A card.json in it tells classes, data, settings, metrics and versions.
    The version appears whole or not at all.
    Raises InputError if `directory` is no finished run, NotEqual if what is served is not what was measured.
    """
    run = read_run(directory)
    model = best_model(run.settings, run.facts, directory)
    test = measure_on_test(run, lambda: load(**run.settings.load_arguments()).load_test())
    destination.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=destination))
    try:
        _write(model, run, aside)
        difference = _difference(model, run, aside)
        say(f"served in a process without Keras: differs from predict by at most {difference:.1e}")
        version = _next_version(destination)
        write_json(aside / "card.json", _card(model, run, test, version, difference))
        aside.chmod(0o755)
        aside.rename(version)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    sync_folder(destination)
    return version


def _write(model: keras.Model, run: Run, path: Path) -> None:
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve",
        lambda images: {"probabilities": model(images, training=False)},
        input_signature=[tf.TensorSpec(model.input_shape, tf.uint8, name="images")],
    )
    archive.write_out(path, verbose=False)


def _difference(model: keras.Model, run: Run, path: Path) -> float:
    """The largest difference between `predict` and the SavedModel, served in a process of its own."""
    images = np.random.default_rng(0).integers(0, 256, (CHECKED_IMAGES, *model.input_shape[1:]), np.uint8)
    expected = model.predict(images, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        given, answered = f"{folder}/images.npy", f"{folder}/probabilities.npy"
        np.save(given, images)
        script = Path(__file__).with_name("served.py")
        process = subprocess.run(
            [sys.executable, "-I", script, path, given, answered], capture_output=True, text=True
        )
        if process.returncode:
            raise NotEqual(f"the SavedModel cannot be served:\n{process.stderr[-2000:]}")
        difference = float(np.abs(np.load(answered) - np.concatenate([expected, expected[:1]])).max())
    if not difference <= TOLERANCE.get(run.settings.precision, MIXED_TOLERANCE):
        raise NotEqual(f"the SavedModel differs from predict by {difference:.1e}; nothing was exported")
    return difference


def _next_version(destination: Path) -> Path:
    numbers = [int(path.name) for path in destination.iterdir() if path.name.isdigit()]
    return destination / str(max(numbers, default=0) + 1)


def _card(model: keras.Model, run: Run, test: dict, version: Path, difference: float) -> dict:
    metrics = read_json(run.directory / METRICS)
    return {
        "name": version.parent.name,
        "version": int(version.name),
        "task": run.facts.task,
        "classes": run.facts.classes,
        "input": {"name": "images", "dtype": "uint8", "shape": model.input_shape, "range": [0, 255]},
        "output": {"name": "probabilities", "dtype": "float32", "shape": model.output_shape},
        "data": run.facts.to_dict(),
        "settings": run.settings.to_dict(),
        "validation": {
            OBJECTIVES[run.facts.task].removeprefix("val_"): metrics["score"],
            "best_epoch": metrics["best_epoch"],
        },
        "test": test,
        "parameters": metrics["parameters"],
        "served_difference": difference,
        "provenance": provenance(),
    }
