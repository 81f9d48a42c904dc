"""What a run ends with beside its metrics: the test measurement, pictures, and the model as a .keras file."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_cnn.data.dataset import DataFacts, Split
from keras_cnn.files import to_png, write_bytes, write_file
from keras_cnn.models.own import is_own
from keras_cnn.models.stock import stock_model
from keras_cnn.records import write_record
from keras_cnn.training.evaluate import measure, predict, window_of
from keras_cnn.training.evaluate_labels import measure_labels
from keras_cnn.training.evaluate_masks import measure_masks, predict_mask
from keras_cnn.training.evaluate_values import measure_values
from keras_cnn.training.make_model import best_model, trained_model
from keras_cnn.training.mask_plots import examples, mask_figure
from keras_cnn.training.plots import confusion_figure, curves_figure, sample_figure, write_pictures
from keras_cnn.training.report.page import write_run_report
from keras_cnn.training.row_plots import precision_recall_figure, values_figure
from keras_cnn.training.run_directory import TEST, Run, read_test

MODEL = "model.keras"
PICTURE, CONFUSION, CURVES = "test.png", "confusion_matrix.png", "curves.png"


def write_curves(run: Run, history: dict[str, list[float]], objective: str) -> None:
    """Write curves.png: losses, and the metric that chose the best epoch, by epoch."""
    write_bytes(run.directory / CURVES, to_png(curves_figure(history, objective.removeprefix("val_"))))


def measure_on_test(run: Run, load_test: Callable[[], Split]) -> dict:
    """Measure the best weights on the test split, once: a second call reads what the first one wrote.

    Writes test.json, test.png, model.keras, where images have classes confusion_matrix.png, and report.html.
    """
    path = run.directory / TEST
    if path.exists():
        return read_test(run.directory)
    test, model = load_test(), best_model(run.settings, run.facts, run.directory)
    measured, outputs, figures = MEASURES[run.facts.task](model, test, run.facts)
    pictures = {name: to_png(figure) for name, figure in figures.items()}
    write_pictures(run.log_directory / "test", pictures, run.settings.epochs)
    write_bytes(run.directory / PICTURE, pictures["predictions"])
    if "confusion_matrix" in pictures:
        write_bytes(run.directory / CONFUSION, pictures["confusion_matrix"])
    own = is_own(run.settings.architecture)
    kept = trained_model(run.settings, run.facts, run.directory) if own else stock_model(model)
    write_file(run.directory / MODEL, kept.save)
    write_record(path, measured)
    write_run_report(run, model, test, outputs, measured, pictures["predictions"])
    return measured


def report_on_test(run: Run, load_test: Callable[[], Split]) -> Path:
    """Write report.html anew, with what was found since the run ended; returns its path.

    The test split is measured if it was not yet; else its numbers stay, and only what the pictures need is predicted.
    """
    measured = measure_on_test(run, load_test)
    test, model = load_test(), best_model(run.settings, run.facts, run.directory)
    outputs = None if window_of(model) else predict(model, test)
    return write_run_report(run, model, test, outputs, measured, (run.directory / PICTURE).read_bytes())


Measured = tuple[dict, np.ndarray | None, dict]  # metrics, outputs, and figures by name


def _labels(model: keras.Model, test: Split, facts: DataFacts) -> Measured:
    probabilities = predict(model, test)
    measured = measure(probabilities, test.labels)
    return (
        measured,
        probabilities,
        {
            "confusion_matrix": confusion_figure(facts.classes, measured["confusion"]),
            "predictions": sample_figure(facts.classes, test, probabilities, facts.value_range),
        },
    )


def _masks(model: keras.Model, test: Split, facts: DataFacts) -> Measured:
    measured, quality = measure_masks(lambda image: predict_mask(model, image), test, facts.classes)
    return (
        measured,
        None,
        {
            "confusion_matrix": confusion_figure(facts.classes, measured["confusion"], shares=True),
            "predictions": mask_figure(facts.classes, *examples(model, test, quality), facts.value_range),
        },
    )


def _several_labels(model: keras.Model, test: Split, facts: DataFacts) -> Measured:
    probabilities = predict(model, test)
    figure = precision_recall_figure(facts.classes, probabilities, test.labels)
    return measure_labels(probabilities, test.labels, facts.classes), probabilities, {"predictions": figure}


def _values(model: keras.Model, test: Split, facts: DataFacts) -> Measured:
    predicted = predict(model, test)
    figure = values_figure(facts.classes, predicted, test.labels)
    return measure_values(predicted, test.labels, facts.classes), predicted, {"predictions": figure}


MEASURES: dict[str, Callable[[keras.Model, Split, DataFacts], Measured]] = {
    "classification": _labels,
    "segmentation": _masks,
    "multi_label": _several_labels,
    "regression": _values,
}
