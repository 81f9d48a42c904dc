"""What an exported model is, for programs (card.json): data, settings, metrics, limits, versions."""

import keras

from keras_cnn.data.folds import ALL
from keras_cnn.provenance import provenance
from keras_cnn.serving.checksums import digest
from keras_cnn.training.run_directory import BEST_WEIGHTS, Run
from keras_cnn.training.tasks import score_name

FEW = 30  # test images of a class, below which little is known of it


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
    score = score_name(run.facts.task)
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
        "output": {"name": "probabilities", "dtype": "float32", "shape": model.output_shape},
        "data": run.facts.to_dict(),
        "settings": run.settings.to_dict(),
        "validation": _validation(run, metrics, score),
        "test": test,
        "limits": _limits(run, test),
        "parameters": metrics["parameters"],
        "weights_sha256": digest(run.directory / BEST_WEIGHTS),
        "served_difference": difference,
        "formats": formats,
        "provenance": provenance(),
    }


def _validation(run: Run, metrics: dict, score: str) -> dict | None:
    """What was measured on the validation images; None of a model that was trained on them too."""
    if run.facts.fold == ALL:
        return None
    return {_objective(metrics, score): metrics["score"], "best_epoch": metrics["best_epoch"]}


def _limits(run: Run, test: dict) -> list[str]:
    """What a user should not expect of the model."""
    facts = run.facts
    found = [
        f"It knows {len(facts.classes)} classes and gives every image to one of them, also images of something else.",
        f"It was measured on images like those of {facts.name}; others may be harder.",
    ]
    if facts.task == "classification":
        counts = [sum(row) for row in test["confusion"]]
        few = [f"{name} ({count})" for name, count in zip(facts.classes, counts, strict=True) if count < FEW]
        if few:
            found.append(f"Of some classes there were fewer than {FEW} test images: {', '.join(few)}.")
    return [*found, *facts.notes]


def _range(run: Run) -> list[float]:
    """The ends of the value range; whole numbers of uint8."""
    return [int(end) if run.facts.dtype == "uint8" else end for end in run.facts.value_range]


def _objective(metrics: dict, score: str) -> str:
    """The metric that `metrics["score"]` is of; older runs have the usual one, `score`."""
    return (metrics.get("objective") or score).removeprefix("val_")
