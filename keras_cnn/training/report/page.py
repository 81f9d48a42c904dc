"""report.html of a run, from its files and what its model answers on the test split."""

import shlex
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_cnn.data.arrays import ARRAYS
from keras_cnn.data.dataset import DataFacts, Split
from keras_cnn.files import write_text
from keras_cnn.pages.figures import Figure
from keras_cnn.pages.render import render
from keras_cnn.task import CLASSIFICATION, SEGMENTATION, TASKS
from keras_cnn.training.epoch_costs import EpochCost, read_costs
from keras_cnn.training.evaluate import summary
from keras_cnn.training.report.classes import by_class, calibration, confusion
from keras_cnn.training.report.course import course_figures, recorded_epochs
from keras_cnn.training.report.found import found_reports
from keras_cnn.training.report.images import ShownImage, least_sure, most_wrong, png_uri, shown_images
from keras_cnn.training.run_directory import Run, read_metrics

REPORT = "report.html"


def write_run_report(
    run: Run, model: keras.Model, test: Split, outputs: np.ndarray | None, measured: dict, picture: bytes
) -> Path:
    """Write report.html.

    Args:
        run: a run with metrics.json.
        model: with the best weights.
        test: the test split.
        outputs: of the model for every image of it; None of masks, which are too many to keep.
        measured: what was measured on it.
        picture: predictions of some of its images, PNG.

    Returns:
        Its path.
    """
    metrics, costs, facts = read_metrics(run.directory), read_costs(run.directory), run.facts
    single = facts.task == CLASSIFICATION.name
    text = render(
        "run.html",
        "keras_cnn.training.report",
        title=f"Run {run.directory.resolve().name}",
        subtitle=f"{run.settings.architecture} on {facts.name}, {facts.task.replace('_', ' ')}",
        tiles=_tiles(run, metrics, measured, costs),
        course=course_figures(metrics, costs),
        quality=_quality(facts, test, outputs, measured),
        by_name=_by_name(facts, measured),
        images=_images(model, test, outputs, facts) if single and outputs is not None else [],
        picture="" if single else png_uri(picture),
        found=found_reports(run.directory),
        how_to_find=_how_to_find(run),
        settings=sorted((name, _shown(value)) for name, value in run.settings.to_dict().items()),
    )
    write_text(run.directory / REPORT, text)
    return run.directory / REPORT


def _how_to_find(run: Run) -> str:
    """How findings come into the report."""
    directory = str(run.directory)
    quoted = shlex.quote(directory)
    watched = f"the callback HealthMonitor(..., directory={directory!r}) in training"
    if run.settings.data == ARRAYS:
        return (
            f"After {watched}, keras_cnn.TrainingRun({directory!r}, data).report() shows here what it found."
        )
    if not TASKS[run.facts.task].class_ids:  # there is no diagnosis of these
        return f"After {watched}, keras-cnn report {shlex.quote(directory)} shows here what it found."
    return (
        f"After keras-cnn diagnose {shlex.quote(directory)} --directory {quoted}/diagnosis, or {watched}, "
        f"keras-cnn report {shlex.quote(directory)} shows here what they found."
    )


def _tiles(run: Run, metrics: dict, measured: dict, costs: list[EpochCost]) -> list[tuple[str, str]]:
    epochs = recorded_epochs(metrics, costs).stop - 1
    return [
        ("test split", summary(measured)),
        (metrics.get("objective") or TASKS[run.facts.task].objective, f"{metrics['score']:.4f}"),
        ("best epoch", f"{metrics['best_epoch']} of {epochs}"),
        ("parameters", f"{metrics['parameters']:,}"),
        ("seconds", f"{metrics.get('trained_seconds') or metrics['seconds']:.1f}"),
    ]


def _quality(facts: DataFacts, test: Split, outputs: np.ndarray | None, measured: dict) -> list[Figure]:
    if "confusion" not in measured:
        return []
    counts, unit = np.array(measured["confusion"]), TASKS[facts.task].unit
    figures = [confusion(facts.classes, counts, unit), by_class(facts.classes, counts, unit)]
    if facts.task != SEGMENTATION.name and outputs is not None:
        figures.append(calibration(outputs, test.labels))
    return figures


def _by_name(facts: DataFacts, measured: dict) -> tuple[list[str], list[list[str]]] | None:
    """Header and lines of what was measured of each mask class, label or value; None where the figures hold it."""
    if "by_value" in measured:
        columns: dict[str, dict] = {
            name: {value: one[name] for value, one in measured["by_value"].items()}
            for name in ("mae", "rmse", "r2")
        }
    else:
        names = ("iou", "dice", "average_precision", "precision", "recall", "support")
        columns = {name: measured[name] for name in names if isinstance(measured.get(name), dict)}
    if not columns:
        return None
    lines = [[name, *(_shown(column[name]) for column in columns.values())] for name in facts.classes]
    return [TASKS[facts.task].noun, *columns], lines


def _images(
    model: keras.Model, test: Split, outputs: np.ndarray, facts: DataFacts
) -> list[tuple[str, str, list[ShownImage]]]:
    """(heading, note, images) of the most wrong and the least sure ones."""
    wrong = int(np.sum(outputs.argmax(axis=1) != test.labels))
    kinds: list[tuple[str, str, Callable[[], np.ndarray]]] = [
        (
            "Most wrong",
            f"Of {wrong:,} wrong answers, those of which the model is surest.",
            lambda: most_wrong(outputs, test.labels),
        ),
        (
            "Least sure",
            "Images whose two most probable classes are nearest to each other, right answers too.",
            lambda: least_sure(outputs),
        ),
    ]
    chosen = [(heading, note, rows()) for heading, note, rows in kinds]
    everything = np.concatenate([rows for _, _, rows in chosen])
    shown = iter(shown_images(model, test, outputs, everything, facts))
    return [(heading, note, [next(shown) for _ in rows]) for heading, note, rows in chosen]


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)
