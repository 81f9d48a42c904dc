"""What an exported model is, for programs (card.json): data, settings, metrics, limits, versions."""

import keras

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.folds import ALL
from keras_cnn.provenance import provenance
from keras_cnn.serving.checksums import digest
from keras_cnn.task import CLASSIFICATION, TASKS, Task
from keras_cnn.training.run_directory import BEST_WEIGHTS, Run

FEW = 30  # test images of a class, below which little is known of it
# by task
SCOPES = {
    "classification": "It knows {} classes and gives every image to one of them, also images of something else.",
    "segmentation": "It knows {} classes and gives every pixel to one of them, also those of something else.",
    "multi_label": "It knows {} labels and says nothing of others that an image may have.",
    "regression": "It was trained on the {} values of its training images; what lies beyond is extrapolated.",
}


def make_card(
    model: keras.Model,
    run: Run,
    metrics: dict,
    test: dict,
    name: str,
    version: int,
    difference: float,
    formats: dict,
) -> dict:
    """Plain data. metrics, test: what was measured on the validation and the test split. difference: of what is served
    from `predict`.

    formats: what `write_formats` found.
    """
    task = TASKS[run.facts.task]
    return {
        "name": name,
        "version": version,
        "task": run.facts.task,
        "classes": run.facts.classes,
        "input": {
            "name": "images",
            "dtype": run.facts.dtype,
            "shape": model.input_shape,
            "range": _range(run),
        },
        "output": {
            "name": task.output,
            "dtype": "float32",
            "shape": model.output_shape,
            "meaning": task.meaning,
        },
        "data": run.facts.to_dict(),
        "settings": run.settings.to_dict(),
        "validation": _validation(run, metrics, task),
        "test": test,
        "limits": _limits(run, test),
        "parameters": metrics["parameters"],
        "weights_sha256": digest(run.directory / BEST_WEIGHTS),
        "served_difference": difference,
        "formats": formats,
        "provenance": provenance(),
    }


def _validation(run: Run, metrics: dict, task: Task) -> dict | None:
    """What was measured on the validation images; None of a model that was trained on them too."""
    if run.facts.fold == ALL:
        return None
    return {_objective(metrics, task): metrics["score"], "best_epoch": metrics["best_epoch"]}


def _limits(run: Run, test: dict) -> list[str]:
    """What a user should not expect of the model."""
    facts, task = run.facts, TASKS[run.facts.task]
    found = [
        SCOPES[task.name].format(len(facts.classes)),
        f"It was measured on images like those of {facts.name}; others may be harder.",
    ]
    few = [f"{name} ({count})" for name, count in _support(facts, test).items() if count < FEW]
    if few:
        found.append(f"Of some {task.noun} there were fewer than {FEW} test images: {', '.join(few)}.")
    return [*found, *facts.notes]


def _support(facts: DataFacts, test: dict) -> dict[str, int]:
    """Test images of each class or label; nothing of masks and values."""
    if facts.task == CLASSIFICATION.name:
        return dict(zip(facts.classes, map(sum, test["confusion"]), strict=True))
    return test.get("support", {})


def _range(run: Run) -> list[float]:
    """The ends of the value range; whole numbers of uint8."""
    return [int(end) if run.facts.dtype == "uint8" else end for end in run.facts.value_range]


def _objective(metrics: dict, task: Task) -> str:
    """The metric that `metrics["score"]` is of; older runs have the task's."""
    return (metrics.get("objective") or task.objective).removeprefix("val_")
