"""The card of an exported model as Markdown: its README.md, and on the page."""

from pathlib import Path

from keras_cnn.serving.markdown import escape
from keras_cnn.task import TASKS, Task
from keras_cnn.training.evaluate import summary

MOST_COLUMNS = 20  # classes, of a confusion matrix for people


def readme(card: dict) -> str:
    """The card as Markdown; names are escaped, and the data's folder has its last name alone."""
    height, width, channels = card["input"]["shape"][1:]
    low, high = card["input"]["range"]
    made, task = card["provenance"], TASKS[card["task"]]
    lines = [
        f"# {escape(card['name'])}, version {card['version']:d}",
        "",
        f"{escape(card['settings']['architecture'])} for {escape(card['task'])} of {escape(data_name(card))}: "
        f"{card['parameters']:,d} parameters.",
        "",
        f"Input: {card['input']['dtype']} images {height:d}x{width:d}x{channels:d}, {low:g}..{high:g}; "
        f"normalization is inside. Output: {task.meaning}; {len(card['classes'])} {task.noun}: "
        f"{', '.join(map(escape, card['classes']))}.",
        "",
        "## Measured on the test split, once",
        "",
        *_metrics(card["test"], task),
        "",
        *(_confusion(card["test"]["confusion"], card["classes"]) if task.class_ids else []),
        *_formats(card),
        "## Limits",
        "",
        *(f"- {escape(limit)}" for limit in limits(card)),
        "",
        "## Made with",
        "",
        *(f"- {escape(name)} {escape(version)}" for name, version in made["packages"].items()),
        f"- git commit {escape(made.get('git_commit') or 'unknown')}; settings and seed are in card.json",
        f"- data: {escape(card['data']['license'] or 'the license is for you to check: it is not known here')}",
        "",
    ]
    return "\n".join(lines)


def data_name(card: dict) -> str:
    """The data's name without the path on the machine it was trained on: `folder:/photos/cats` is `folder:cats`."""
    kind, colon, path = card["data"]["name"].partition(":")
    return f"{kind}:{Path(path).name}" if colon else kind


def limits(card: dict) -> list[str]:
    """What a user should not expect, without that path."""
    return [limit.replace(card["data"]["name"], data_name(card)) for limit in card["limits"]]


def format_line(name: str, found: dict, score: str) -> str:
    """One of what `convert.write_formats` found, for people."""
    return (
        f"{name}: {found['file']}, {found['bytes'] / 1e6:.2f} MB, differs by at most {found['difference']:.1e}; test "
        f"{score.replace('_', ' ')} {found[score]:.4f}, {100 * found['lost']:.2f} points less"
    )


def _confusion(matrix: list[list[int]], classes: list[str]) -> list[str]:
    if len(classes) > MOST_COLUMNS:
        return []
    names = [escape(name) for name in classes]
    rows = [
        f"| **{name}** | {' | '.join(f'{count:d}' for count in row)} |"
        for name, row in zip(names, matrix, strict=True)
    ]
    head = f"| true \\ predicted | {' | '.join(names)} |"
    return ["## Confusion matrix", "", head, "| --- |" + " ---: |" * len(names), *rows, ""]


def _formats(card: dict) -> list[str]:
    if not card["formats"]:
        return []
    score = TASKS[card["task"]].score
    lines = [f"- {escape(format_line(name, found, score))}" for name, found in card["formats"].items()]
    return ["## Other formats", "", *lines, ""]


def _metrics(test: dict, task: Task) -> list[str]:
    if not task.class_ids:
        return _metrics_of_rows(test)
    score = task.score
    low, high = test[f"{score}_interval"]
    interval = f"95 % interval {low:.4f} to {high:.4f}, {test['images']:,d} images"
    lines = [
        f"- {score.replace('_', ' ')}: {test[score]:.4f} ({interval})",
        f"- cross-entropy: {test['loss']:.4f} nats",
    ]
    if "calibration_error" in test:
        lines.append(f"- expected calibration error: {test['calibration_error']:.4f}")
    return [*lines, *(f"- IoU of {escape(name)}: {value:.4f}" for name, value in test.get("iou", {}).items())]


def _metrics_of_rows(test: dict) -> list[str]:
    """The summary, and a table of what was measured of each label or value."""
    if "by_value" in test:
        columns = {
            name: {row: one[name] for row, one in test["by_value"].items()} for name in ("mae", "rmse", "r2")
        }
    else:
        columns = {name: test[name] for name in ("average_precision", "precision", "recall", "support")}
    rows = [
        f"| {escape(name)} | {' | '.join(_number(column[name]) for column in columns.values())} |"
        for name in next(iter(columns.values()))
    ]
    head = f"| | {' | '.join(columns)} |"
    return [f"- {summary(test)}", "", head, "| --- |" + " ---: |" * len(columns), *rows]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
