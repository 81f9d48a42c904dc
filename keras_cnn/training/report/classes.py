"""Figures of a model of classes on the test split: confusion matrix, precision and recall, calibration."""

from collections.abc import Sequence

import numpy as np

from keras_cnn.pages.figures import Figure, axis, plot_text
from keras_cnn.pages.palette import KINDS, NEUTRAL, colorscale
from keras_cnn.training.evaluate import BINS, calibration_error

NUMBERED = 20  # classes, up to which the cells of the matrix have numbers
BARS = 30  # classes shown, those with the lowest recall first
CONFUSED = 10  # pairs in the table
BAR_HEIGHT = 34  # px
LABEL_CHARACTERS = 24


def confusion(classes: Sequence[str], counts: np.ndarray, unit: str) -> Figure:
    """counts: (K, K), rows are true classes. unit: what is counted, images or pixels."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names, places = labels_of(classes), list(range(len(classes)))
    ticks = {"tickvals": places, "ticktext": names} if len(classes) <= 3 * NUMBERED else {}
    numbers = {"texttemplate": "%{text}"} if len(classes) <= NUMBERED else {}
    pairs = _pairs(classes, counts)
    often = (
        f"Most often {pairs[0][0]} is taken for {pairs[0][1]}: {pairs[0][2]} of {pairs[0][3]} {unit}."
        if pairs
        else ""
    )
    return Figure(
        "confusion",
        "Confusion matrix",
        f"Rows are true classes, columns predicted ones; the color is the share of the row. {often or 'No mistakes.'}",
        [
            {
                "type": "heatmap",
                "z": np.where(counts > 0, shares, np.nan),  # an empty cell has no color
                "text": [
                    [_cell(value, unit, share) for value, share in zip(*row, strict=True)]
                    for row in zip(counts, shares, strict=True)
                ],
                **numbers,
                "customdata": counts,
                "colorscale": colorscale(),
                "zmin": 0,
                "zmax": 1,
                "xgap": 1,
                "ygap": 1,
                "hovertemplate": f"true %{{y}}, predicted %{{x}}: %{{customdata:,d}} {unit}, %{{z:.1%}}<extra></extra>",
                "colorbar": {"thickness": 14, "tickformat": ".0%"},
            }
        ],
        {
            "xaxis": axis("predicted class", **ticks),
            "yaxis": axis("true class", autorange="reversed", **ticks),
        },
        ("true class", "taken for", unit, "of"),
        pairs,
        height=min(900, 240 + 30 * len(classes)),
        min_width=min(1000, 100 + 26 * len(classes)),
    )


def by_class(classes: Sequence[str], counts: np.ndarray, unit: str) -> Figure:
    """Precision and recall of each class."""
    hits, support, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    precision, recall = hits / np.maximum(predicted, 1), hits / np.maximum(support, 1)
    order = np.argsort(np.where(support > 0, recall, 2), kind="stable")
    shown = order[:BARS][::-1]
    lowest = order[0]
    message = (
        f"{classes[lowest]} has the lowest recall: {recall[lowest]:.1%} of its {support[lowest]:,} {unit} are found; "
        f"of what is taken for it {precision[lowest]:.1%} is right."
    )
    if len(classes) > BARS:
        message += f" Shown are the {BARS} classes of lowest recall."
    names = labels_of(classes)
    return Figure(
        "classes",
        "Precision and recall",
        message,
        [
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": list(range(len(shown))),
                "x": values[shown],
                "marker": {"color": color},
                "hovertemplate": f"{name} %{{x:.1%}}<extra></extra>",
            }
            for name, values, color in (("recall", recall, KINDS[0]), ("precision", precision, KINDS[1]))
        ],
        {
            "xaxis": axis("", range=[0, 1], tickformat=".0%"),
            "yaxis": {
                "automargin": True,
                "tickvals": list(range(len(shown))),
                "ticktext": [names[place] for place in shown],
            },
            "barmode": "group",
        },
        ("class", "recall", "precision", f"{unit} of it"),
        [(classes[k], f"{recall[k]:.1%}", f"{precision[k]:.1%}", f"{support[k]:,}") for k in order],
        height=120 + BAR_HEIGHT * len(shown),
    )


def calibration(probabilities: np.ndarray, truth: np.ndarray) -> Figure:
    """Share of right answers by the probability of the predicted class. probabilities: (N, K)."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    filled = np.flatnonzero(counts)
    mean = np.bincount(bins, confidence, BINS)[filled] / counts[filled]
    share = np.bincount(bins, right, BINS)[filled] / counts[filled]
    error = calibration_error(confidence, right)
    side = "less" if confidence.mean() > right.mean() else "more"
    return Figure(
        "calibration",
        "Calibration",
        f"The mean probability of its answers is {confidence.mean():.1%}, and {right.mean():.1%} are right: the model "
        f"is {side} often right than it says. Expected calibration error {error:.1%}.",
        [
            {
                "type": "scatter",
                "x": [0, 1],
                "y": [0, 1],
                "mode": "lines",
                "name": "as often right as it says",
                "line": {"color": NEUTRAL, "dash": "dash"},
                "hoverinfo": "skip",
            },
            {
                "type": "scatter",
                "x": mean,
                "y": share,
                "mode": "lines+markers",
                "name": "the model",
                "marker": {"color": KINDS[0], "size": 6 + 24 * np.sqrt(counts[filled] / counts.max())},
                "line": {"color": KINDS[0]},
                "text": [f"{count:,} images" for count in counts[filled]],
                "hovertemplate": "says %{x:.1%}, right %{y:.1%}: %{text}<extra></extra>",
            },
        ],
        {
            "xaxis": axis("probability of the predicted class", range=[0, 1.02], tickformat=".0%"),
            "yaxis": axis("share of right answers", range=[0, 1.05], tickformat=".0%"),
        },
        ("mean probability", "right", "images"),
        [
            (f"{x:.1%}", f"{y:.1%}", f"{count:,}")
            for x, y, count in zip(mean, share, counts[filled], strict=True)
        ],
    )


def labels_of(classes: Sequence[str]) -> list[str]:
    """Names of classes for ticks."""
    return [
        plot_text(name if len(name) <= LABEL_CHARACTERS else f"{name[: LABEL_CHARACTERS - 1]}…")
        for name in classes
    ]


def _cell(count: int, unit: str, share: float) -> str:
    """What stands in a cell; nothing in an empty one."""
    return "" if count == 0 else f"{count:,}" if unit == "images" else f"{share:.1%}"


def _pairs(classes: Sequence[str], counts: np.ndarray) -> list[tuple[str, str, str, str]]:
    """(true class, predicted class, how often, of how many) of the most frequent mistakes."""
    mistakes = counts - np.diag(np.diag(counts))
    order = np.argsort(-mistakes, axis=None, kind="stable")[:CONFUSED]
    places = [np.unravel_index(place, counts.shape) for place in order]
    return [
        (classes[row], classes[column], f"{counts[row, column]:,}", f"{counts[row].sum():,}")
        for row, column in places
        if mistakes[row, column]
    ]
