"""What a model is, for programs (card.json) and people (README.md): data, settings, metrics, limits, versions."""

import keras

from keras_cnn.provenance import provenance
from keras_cnn.serving.checksums import digest
from keras_cnn.serving.convert import line
from keras_cnn.training.run_directory import BEST_WEIGHTS, Run, read_metrics
from keras_cnn.training.tasks import score_name

MOST_COLUMNS = 20  # classes, of a confusion matrix for people
FEW = 30  # test images of a class, below which little is known of it


def make_card(
    model: keras.Model, run: Run, test: dict, name: str, version: int, difference: float, formats: dict
) -> dict:
    """Plain data. test: what was measured on the test split. difference: of what is served from `predict`.

    formats: what `write_formats` found.
    """
    metrics = read_metrics(run.directory)
    score = score_name(run.facts.task)
    return {
        "name": name,
        "version": version,
        "task": run.facts.task,
        "classes": run.facts.classes,
        "input": {"name": "images", "dtype": "uint8", "shape": model.input_shape, "range": [0, 255]},
        "output": {"name": "probabilities", "dtype": "float32", "shape": model.output_shape},
        "data": run.facts.to_dict(),
        "settings": run.settings.to_dict(),
        "validation": {score: metrics["score"], "best_epoch": metrics["best_epoch"]},
        "test": test,
        "limits": _limits(run, test),
        "parameters": metrics["parameters"],
        "weights_sha256": digest(run.directory / BEST_WEIGHTS),
        "served_difference": difference,
        "formats": formats,
        "provenance": provenance(),
    }


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


def readme(card: dict) -> str:
    """The card as Markdown."""
    height, width, channels = card["input"]["shape"][1:]
    made = card["provenance"]
    lines = [
        f"# {card['name']}, version {card['version']}",
        "",
        f"{card['settings']['architecture']} for {card['task']} of {card['data']['name']}: "
        f"{card['parameters']:,} parameters.",
        "",
        f"Input: uint8 images {height}x{width}x{channels}, 0..255; normalization is inside. Output: probabilities of "
        f"{len(card['classes'])} classes: {', '.join(card['classes'])}.",
        "",
        "## Measured on the test split, once",
        "",
        *_metrics(card["test"], score_name(card["task"])),
        "",
        *_confusion(card["test"]["confusion"], card["classes"]),
        *_formats(card),
        "## Limits",
        "",
        *(f"- {limit}" for limit in card["limits"]),
        "",
        "## Made with",
        "",
        *(f"- {name} {version}" for name, version in made["packages"].items()),
        f"- git commit {made.get('git_commit') or 'unknown'}; settings and seed are in card.json",
        f"- data: {card['data']['license'] or 'the license is for you to check: it is not known here'}",
        "",
    ]
    return "\n".join(lines)


def _confusion(matrix: list[list[int]], classes: list[str]) -> list[str]:
    if len(classes) > MOST_COLUMNS:
        return []
    rows = [
        f"| **{name}** | {' | '.join(map(str, row))} |" for name, row in zip(classes, matrix, strict=True)
    ]
    head = f"| true \\ predicted | {' | '.join(classes)} |"
    return ["## Confusion matrix", "", head, "| --- |" + " ---: |" * len(classes), *rows, ""]


def _formats(card: dict) -> list[str]:
    if not card["formats"]:
        return []
    score = score_name(card["task"])
    return [
        "## Other formats",
        "",
        *(f"- {line(name, found, score)}" for name, found in card["formats"].items()),
        "",
    ]


def _metrics(test: dict, score: str) -> list[str]:
    low, high = test[f"{score}_interval"]
    interval = f"95 % interval {low:.4f} to {high:.4f}, {test['images']:,} images"
    lines = [
        f"- {score.replace('_', ' ')}: {test[score]:.4f} ({interval})",
        f"- cross-entropy: {test['loss']:.4f} nats",
    ]
    if "calibration_error" in test:
        lines.append(f"- expected calibration error: {test['calibration_error']:.4f}")
    return [*lines, *(f"- IoU of {name}: {value:.4f}" for name, value in test.get("iou", {}).items())]
