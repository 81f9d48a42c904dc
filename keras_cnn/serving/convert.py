"""Write an exported model in other formats, and measure each on the test split."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from keras_cnn.data.dataset import DataFacts, ImageData, Split
from keras_cnn.data.progress import track
from keras_cnn.data.windows import Window, cut, predict_image
from keras_cnn.errors import ExportMismatchError, InputError
from keras_cnn.serving import formats
from keras_cnn.serving.readme import format_line
from keras_cnn.task import CLASSIFICATION, TASKS
from keras_cnn.training.evaluate import measure, window_of
from keras_cnn.training.evaluate_labels import measure_labels
from keras_cnn.training.evaluate_masks import measure_masks
from keras_cnn.training.make_model import best_model
from keras_cnn.training.run_directory import Run

logger = logging.getLogger(__name__)

BATCH = 32
CALIBRATION = 200  # images; TensorFlow's guide takes 100 to 500
TOLERANCE = 1e-5  # other kernels add up in another order


def write_formats(
    names: Sequence[str], run: Run, data: ImageData, test: dict, folder: Path
) -> dict[str, dict]:
    """Write formats into `folder`. All compute in float32 or below, whatever the precision trained in.

    Args:
        names: of FORMATS.
        run: whose best weights to convert.
        data: of the run.
        test: what the SavedModel reaches on the test split.
        folder: where to write.

    Returns:
        name -> file, bytes, difference, score, interval and points lost.

    Raises:
        ExportMismatchError: if a format of float32 differs from `predict` by more than 1e-5.
    """
    model = best_model(replace(run.settings, precision="float32"), run.facts, run.directory)
    window = window_of(model)
    images = _calibration(data.train, window)
    expected, split = model.predict(images[:BATCH], verbose=0), data.load_test()
    score = TASKS[run.facts.task].score
    found = {}
    for name in names:
        form = formats.FORMATS[name]
        path = folder / form.file
        answer = _written(name, model, path, images)
        difference = float(np.abs(answer(images[:BATCH]) - expected).max())
        if form.exact and not difference <= TOLERANCE:
            raise ExportMismatchError(
                f"{form.file} differs from predict by {difference:.1e}; nothing was exported"
            )
        measured = _measure(answer, split, window, run.facts)
        found[name] = {
            "file": form.file,
            "bytes": path.stat().st_size,
            "difference": difference,
            score: measured[score],
            f"{score}_interval": measured[f"{score}_interval"],
            "lost": test[score] - measured[score],
        }
        logger.info(format_line(name, found[name], score))
    return found


def _calibration(train: Split, window: Window | None) -> np.ndarray:
    """At most 200 images, or windows of some, from all over the split, so that all classes take part."""
    if window:
        rows = _spread(len(train), BATCH)
        views = cut(Split(train.images[rows], train.labels[rows]), window).images
        return views[_spread(len(views), CALIBRATION)]
    return train.images[_spread(len(train), CALIBRATION)]


def _spread(count: int, most: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(count, most)).astype(int)


def _written(name: str, model: keras.Model, path: Path, images: np.ndarray) -> formats.Run:
    """Raise InputError where a converter fails; what it supports depends on layers and activations."""
    form = formats.FORMATS[name]
    try:
        form.write(model, path, images)
        return form.load(path)
    except Exception as error:
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise InputError(
            f"this model cannot be written as {name} ({reason[0][:200]}). Leave that format out."
        ) from error


def _measure(answer: formats.Run, split: Split, window: Window | None, facts: DataFacts) -> dict:
    if window:
        return measure_masks(lambda image: predict_image(answer, image, window), split, facts.classes)[0]
    parts = np.array_split(split.images, -(-len(split) // BATCH))
    outputs = np.concatenate([answer(part) for part in track(parts, "measuring", len(parts))])
    if facts.task == CLASSIFICATION.name:
        return measure(outputs, split.labels)
    return measure_labels(outputs, split.labels, facts.classes)
