"""The score over the two most important hyperparameters: over each alone, and over both."""

import math
from collections.abc import Sequence

import numpy as np

from keras_cnn.pages.figures import Figure, axis, integer_axis, log_axis, plot_text
from keras_cnn.pages.palette import colorscale
from tuning.reporting.axes import SearchAxis
from tuning.reporting.figures.marks import trial_points
from tuning.reporting.grid import short
from tuning.reporting.trial_data import TrialData

GRID = 31  # points of the map along an axis
BANDWIDTH = 0.12  # of the smoothing, as a share of an axis
PARTS = 6  # of a range beside a choice
REACH = 0.2  # from the nearest trial; farther away nothing is drawn


def two_axes(data: TrialData) -> list[SearchAxis]:
    """The two most important hyperparameters; without importance the first two that vary."""
    ranked = [data.axes[name] for name in data.importance if name in data.axes]
    return (ranked or list(data.axes.values()))[:2]


def slice_figure(data: TrialData, chosen: SearchAxis, number: int) -> Figure | None:
    """Scores over one hyperparameter. number: of the figure. None if no completed trial has it."""
    places = [place for place, x in enumerate(_positions(data, chosen)) if math.isfinite(x)]
    if not places:
        return None
    values = [chosen.value(data.configurations[place]) for place in places]
    best = max(places, key=lambda place: data.sign * data.scores[place])
    message = f"The best {data.objective} of trials with {chosen.name}: {data.scores[best]:.4f} at "
    message += f"{short(chosen.value(data.configurations[best]))}."
    hover = [
        f"{chosen.name} {short(value)}, {data.objective} {data.scores[place]:.4f}"
        for place, value in zip(places, values, strict=True)
    ]
    x = values if chosen.is_number else _jittered(data, chosen, places)
    return Figure(
        f"slice-{number}",
        f"Score over {chosen.name}",
        message,
        trial_points(data, x, [data.scores[place] for place in places], hover, places),
        {"xaxis": _axis(chosen), "yaxis": axis(data.objective), "showlegend": False},
        (chosen.name, "trials", f"mean {data.objective}", f"best {data.objective}"),
        _groups(data, chosen, places),
    )


def contour(data: TrialData) -> Figure | None:
    """A map of the mean score of trials nearby, over two hyperparameters; None where fewer vary."""
    pair = two_axes(data)
    if len(pair) < 2:
        return None
    points = np.array([_positions(data, one) for one in pair])
    places = [place for place in range(points.shape[1]) if np.isfinite(points[:, place]).all()]
    if not places:
        return None
    x, y = points[:, places]
    scores = np.array(data.scores)[places]
    numbers = all(one.is_number for one in pair)
    surface = _surface(data) | (_smooth_map(x, y, scores) if numbers else _cell_map(pair, x, y, scores))
    hover = [
        ", ".join(f"{one.name} {short(one.value(data.configurations[place]))}" for one in pair)
        + f": {data.objective} {data.scores[place]:.4f}"
        for place in places
    ]
    across, up = pair
    ticks = [dict(zip(("tickvals", "ticktext"), _escaped(one.ticks()), strict=True)) for one in pair]
    best = ", ".join(f"{one.name} {short(one.value(data.configurations[places[0]]))}" for one in pair)
    return Figure(
        "contour",
        f"Score over {across.name} and {up.name}",
        f"The color is the mean of the trials {'nearby' if numbers else 'in a cell'}; where there is none, nothing is "
        f"drawn. The best one has {best}.",
        [surface, *trial_points(data, x, y, hover, places)],
        {
            "xaxis": axis(across.name, range=[-0.04, 1.04], **ticks[0]),
            "yaxis": axis(up.name, range=[-0.04, 1.04], **ticks[1]),
            "showlegend": False,
        },
        ("trial", across.name, up.name, data.objective),
        [
            (
                data.names[place],
                *(short(one.value(data.configurations[place])) for one in pair),
                f"{data.scores[place]:.4f}",
            )
            for place in places[:10]
        ],
        height=440,
    )


def _surface(data: TrialData) -> dict:
    """What maps of both kinds share."""
    low, high = data.color_range
    return {
        "colorscale": colorscale(data.sign),
        "zmin": low,
        "zmax": high,
        "colorbar": {"title": {"text": plot_text(data.objective), "side": "right"}, "thickness": 14},
        "hoverinfo": "skip",
        "connectgaps": False,
    }


def _smooth_map(x: np.ndarray, y: np.ndarray, scores: np.ndarray) -> dict:
    """Of two ranges."""
    ends = np.linspace(0, 1, GRID)
    lines = {"contours": {"coloring": "heatmap"}, "line": {"width": 0.5}}
    return {"type": "contour", "x": ends, "y": ends, "z": smoothed(x, y, scores), **lines}


def _cell_map(pair: Sequence[SearchAxis], x: np.ndarray, y: np.ndarray, scores: np.ndarray) -> dict:
    """Of which one is a choice at least: means of the cells of choices, and of equal parts of a range."""
    columns, rows = (PARTS if one.is_number else len(one.choices) for one in pair)
    cells = np.minimum((y * rows).astype(int), rows - 1), np.minimum((x * columns).astype(int), columns - 1)
    total, count = np.zeros((rows, columns)), np.zeros((rows, columns))
    np.add.at(total, cells, scores)
    np.add.at(count, cells, 1)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    edges = {"x": np.linspace(0, 1, columns + 1), "y": np.linspace(0, 1, rows + 1)}
    return {"type": "heatmap", "z": means, "xgap": 2, "ygap": 2, "opacity": 0.8, **edges}


def smoothed(x: np.ndarray, y: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Means of scores weighed by distance (Nadaraya 1964) on a GRID x GRID map, rows along y; NaN far from all."""
    grid = np.linspace(0, 1, GRID)
    squared = (grid[None, :, None] - x) ** 2 + (grid[:, None, None] - y) ** 2  # (rows, columns, trials)
    nearest = squared.min(axis=-1)
    weights = np.exp(-(squared - nearest[..., None]) / (2 * BANDWIDTH**2))
    return np.where(nearest <= REACH**2, (weights * scores).sum(-1) / weights.sum(-1), np.nan)


def _positions(data: TrialData, chosen: SearchAxis) -> list[float]:
    return [chosen.position(configuration) for configuration in data.configurations]


def _jittered(data: TrialData, chosen: SearchAxis, places: Sequence[int]) -> list[float]:
    """Positions of choices, jittered so that equal ones can be distinguished; the same in every report."""
    spread = 0.5 / len(chosen.choices)
    return [
        chosen.position(data.configurations[place]) + spread * ((0.618 * int(data.names[place])) % 1 - 0.5)
        for place in places
    ]


def _axis(chosen: SearchAxis) -> dict:
    if chosen.is_number:
        if chosen.is_log:
            return log_axis(chosen.name, *chosen.range)
        whole = all(isinstance(end, int) for end in chosen.range)
        return integer_axis(chosen.name, chosen.range) if whole else axis(chosen.name, nticks=6)
    places, labels = _escaped(chosen.ticks())
    return axis(chosen.name, tickvals=places, ticktext=labels, range=[0, 1])


def _escaped(ticks: tuple[list[float], list[str]]) -> tuple[list[float], list[str]]:
    return ticks[0], [plot_text(label) for label in ticks[1]]


def _groups(data: TrialData, chosen: SearchAxis, places: Sequence[int]) -> list[tuple[str, ...]]:
    """A row for each choice, or for each third of a range."""
    found: dict[str, list[float]] = {}
    for place in sorted(places, key=lambda place: chosen.position(data.configurations[place])):
        found.setdefault(_group(chosen, data.configurations[place]), []).append(data.scores[place])
    return [
        (
            name,
            str(len(scores)),
            f"{np.mean(scores):.4f}",
            f"{max(scores, key=lambda one: data.sign * one):.4f}",
        )
        for name, scores in found.items()
    ]


def _group(chosen: SearchAxis, configuration: dict) -> str:
    if not chosen.is_number:
        return short(chosen.value(configuration))
    low, high = chosen.range
    third = min(int(3 * chosen.position(configuration)), 2)
    ends = [
        low * (high / low) ** (k / 3) if chosen.is_log else low + (high - low) * k / 3
        for k in (third, third + 1)
    ]
    return " to ".join(f"{end:.3g}" for end in ends)
