"""Parallel coordinates: a line for each trial over its hyperparameters to its score."""

import math

from keras_cnn.pages.figures import Figure, plot_text
from keras_cnn.pages.palette import BEST, color_of
from tuning.reporting.axes import SearchAxis
from tuning.reporting.grid import short
from tuning.reporting.trial_data import TrialData

SHADES = 24  # lines of one of so many colors are one trace, which draws quickly
AXIS_WIDTH = 84  # px
BEST_LINES, OTHER_LINES = 50, 150  # more would be an area


def parallel(data: TrialData) -> Figure | None:
    """None where nothing varies."""
    axes = list(data.axes.values())
    if not axes:
        return None
    shades: dict[int, list[int]] = {}
    shown = _shown(len(data.completed))
    for place in shown[1:]:
        shades.setdefault(round(data.goodness(data.scores[place]) * SHADES), []).append(place)
    traces = [_lines(data, axes, shades[shade], color_of(shade / SHADES), 1.4) for shade in sorted(shades)]
    traces.append(_lines(data, axes, [0], BEST, 3.5))
    names = [axis.name for axis in axes]
    some = (
        ""
        if len(shown) == len(data.completed)
        else f" Shown are {len(shown)} of {len(data.completed)} trials."
    )
    best = ", ".join(f"{axis.name} {_label(axis, data.configurations[0])}" for axis in axes)
    return Figure(
        "parallel",
        "Configurations",
        f"A line is a trial; the brighter, the better its {data.objective}, and the best one is orange: {best}. A line "
        f"is interrupted where a hyperparameter belongs to a choice that was not made.{some}",
        traces,
        {
            "xaxis": {
                "tickvals": list(range(len(axes) + 1)),
                "ticktext": [*map(_short_name, names), f"<b>{plot_text(data.objective)}</b>"],
                "tickangle": -30,
                "range": [-0.15, len(axes) + 0.6],
                "showgrid": True,
                "zeroline": False,
                "fixedrange": True,
            },
            "margin": {"l": 70, "r": 10, "t": 34, "b": 46},
            "yaxis": {"visible": False, "range": [-0.06, 1.06], "fixedrange": True},
            "annotations": [
                *(one for number, axis in enumerate(axes) for one in _ticks(number, *axis.ticks())),
                *_ticks(len(axes), [0, 1], [f"{score:.4f}" for score in _ends(data)]),
            ],
            "showlegend": False,
        },
        ("trial", *names, data.objective),
        [
            (
                data.names[place],
                *(_label(axis, data.configurations[place]) for axis in axes),
                f"{data.scores[place]:.4f}",
            )
            for place in range(min(10, len(data.completed)))
        ],
        height=460,
        min_width=AXIS_WIDTH * (len(axes) + 1),
    )


def _shown(count: int) -> list[int]:
    """The best trials, and of the others every few by rank, at most BEST_LINES + OTHER_LINES."""
    others = range(BEST_LINES, count)
    return [*range(min(BEST_LINES, count)), *others[:: max(1, -(-len(others) // OTHER_LINES))]]


def _ends(data: TrialData) -> tuple[float, float]:
    return min(data.scores), max(data.scores)


def _short_name(name: str) -> str:
    """The last part of a long dotted name."""
    text = name if len(name) <= 22 else f"…{name[-21:]}"
    return plot_text(text)


def _label(axis: SearchAxis, configuration: dict) -> str:
    value = axis.value(configuration)
    return "-" if value is None else short(value)


def _ticks(number: int, places: list[float], labels: list[str]) -> list[dict]:
    """Values beside the axis `number`."""
    return [
        {
            "x": number,
            "y": place,
            "text": plot_text(label),
            "showarrow": False,
            "xanchor": "left",
            "xshift": 3,
            "font": {"size": 11},
            "bgcolor": "rgba(128,128,128,.18)",
            "borderpad": 1,
        }
        for place, label in zip(places, labels, strict=True)
    ]


def _lines(data: TrialData, axes: list[SearchAxis], places: list[int], color: str, width: float) -> dict:
    low, high = _ends(data)
    x: list[float | None] = []
    y: list[float | None] = []
    names: list[str | None] = []
    labels: list[str | None] = []
    for place in places:
        configuration, score = data.configurations[place], data.scores[place]
        heights = [axis.position(configuration) for axis in axes]
        x += [*range(len(axes) + 1), None]
        y += [*(None if math.isnan(height) else height for height in heights)]
        y += [(score - low) / (high - low) if high > low else 0.5, None]
        names += [*[data.names[place]] * (len(axes) + 1), None]
        labels += [*(plot_text(_label(axis, configuration)) for axis in axes), f"{score:.4f}", None]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": x,
        "y": y,
        "customdata": names,
        "text": labels,
        "hovertemplate": "trial %{customdata}: %{text}<extra></extra>",
        "line": {"color": color, "width": width},
        "marker": {"size": 4},
        "connectgaps": False,
    }
