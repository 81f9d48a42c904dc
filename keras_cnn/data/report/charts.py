"""Figures of a data set: images by class and split, brightness, and sizes of the files."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.report.measure import Measured
from keras_cnn.pages.figures import Figure, axis, integer_axis, plot_text
from keras_cnn.pages.palette import KINDS
from keras_cnn.task import TASKS

BARS = 40  # classes shown
BAR_HEIGHT = 30  # px
BINS = 32  # of brightness
IMBALANCE = 10  # times the rarest is the most frequent class, from which on it is said
SIZES = 10  # of files, in the table


def class_counts(facts: DataFacts) -> Figure | None:
    """A bar for each class and split; None without counts by class."""
    task = TASKS[facts.task]
    if task.name == "regression":
        return None
    names = [plot_text(name) for name in facts.classes[:BARS]]
    train = np.array(facts.counts["train"])
    most, least = int(train.argmax()), int(train.argmin())
    message = (
        f"In train, {facts.classes[most]} is the most frequent ({train[most]:,} {task.unit}) and "
        f"{facts.classes[least]} the rarest ({train[least]:,})."
        if train[most] > train[least]
        else f"In train, each has {train[most]:,} {task.unit}."
    )
    if train[most] > IMBALANCE * train[least]:
        message += " That is imbalanced: --class_weight balanced weighs classes, --balanced draws them equally often."
    return Figure(
        "classes",
        f"{task.unit.capitalize()} by class" if task.class_ids else f"{task.unit.capitalize()} by label",
        message,
        [
            {
                "type": "bar",
                "orientation": "h",
                "name": split,
                "y": names,
                "x": counts[:BARS],
                "marker": {"color": color},
                "hovertemplate": f"{split}: %{{x:,d}}<extra></extra>",
            }
            for (split, counts), color in zip(facts.counts.items(), KINDS, strict=False)
        ],
        {
            "barmode": "stack",
            "xaxis": integer_axis(
                task.unit, [0, int(np.array(list(facts.counts.values())).sum(axis=0).max())]
            ),
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True},
        },
        (task.noun, *facts.counts),
        [
            (name, *(f"{counts[place]:,}" for counts in facts.counts.values()))
            for place, name in enumerate(facts.classes)
        ],
        height=130 + BAR_HEIGHT * len(names),
    )


def brightness(measured: Mapping[str, Measured]) -> Figure:
    """Shares of images by mean brightness, of each split."""
    edges = np.linspace(0, 255, BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    shares = {
        name: np.histogram(one.brightness, edges)[0] / max(1, len(one.brightness))
        for name, one in measured.items()
    }
    means = ", ".join(
        f"{one.brightness.mean():.0f} in {name}" for name, one in measured.items() if len(one.std)
    )
    return Figure(
        "brightness",
        "Brightness",
        f"The mean brightness of an image, 0 to 255, is on average {means}.",
        [
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": middles,
                "y": values,
                "line": {"color": color, "width": 2, "shape": "hvh"},
                "hovertemplate": f"{name}, brightness %{{x:.0f}}: %{{y:.1%}}<extra></extra>",
            }
            for (name, values), color in zip(shares.items(), KINDS, strict=False)
        ],
        {
            "xaxis": axis("mean brightness of an image", range=[0, 255]),
            "yaxis": axis("share of images", tickformat=".0%", rangemode="tozero"),
        },
        ("split", "mean", "darkest", "brightest"),
        [
            (name, *(f"{value:.1f}" for value in (b.mean(), b.min(), b.max())))
            for name, b in ((name, one.brightness) for name, one in measured.items())
            if len(b)
        ],
    )


def file_sizes(
    sizes: Sequence[tuple[int, int]], shape: tuple[int, int, int], what: str = "files"
) -> Figure | None:
    """Widths and heights of image files, before they are resized to `shape`; None without files. what: they are."""
    if not sizes:
        return None
    unique, counts = np.unique(np.array(sizes), axis=0, return_counts=True)
    order = np.argsort(-counts)
    heights, widths = unique[order].T
    ratios = np.array(sizes)[:, 1] / np.array(sizes)[:, 0]
    smaller = int(np.sum((np.array(sizes) < shape[:2]).any(axis=1)))
    many = f"{len(sizes):,} {what} of {len(unique):,} {'sizes' if len(unique) > 1 else 'size'}"
    message = (
        f"{many}; width / height is {ratios.min():.2f} to {ratios.max():.2f}, in the median {np.median(ratios):.2f}. "
        f"A net sees {shape[0]}x{shape[1]}; {smaller:,} files are smaller."
    )
    return Figure(
        "sizes",
        "Sizes of the files",
        message,
        [
            {
                "type": "scatter",
                "mode": "markers",
                "x": widths,
                "y": heights,
                "text": [f"{count:,} files" for count in counts[order]],
                "marker": {"color": KINDS[0], "size": 6 + 24 * np.sqrt(counts[order] / counts.max())},
                "hovertemplate": "%{x} x %{y} (width x height): %{text}<extra></extra>",
            }
        ],
        {"xaxis": integer_axis("width", widths), "yaxis": integer_axis("height", heights)},
        ("height", "width", "files"),
        [(str(h), str(w), f"{c:,}") for h, w, c in zip(heights, widths, counts[order], strict=True)][:SIZES],
    )
