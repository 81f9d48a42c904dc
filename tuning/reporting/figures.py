"""The pictures of report.html, as SVG."""

from collections.abc import Mapping, Sequence

import keras_tuner as kt
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from keras_cnn.training.tasks import sign_of
from keras_cnn.web import POINT, new_figure, to_svg
from tuning.reporting.importance import columns, position

BEST_CURVES = 10  # the others are drawn pale
LOGARITHMIC = 30  # times the least is the most, from which on an axis is logarithmic
BEST_LINE, PALE = "#cc3311", "#bbbbbb"


def scores_figure(x: Sequence[float], scores: Sequence[float], label: str, objective: str) -> str:
    """Each score at its `x`, and the best so far."""
    figure, ax = new_figure(7, 3.2)
    order = np.argsort(x)
    across, up = np.array(x)[order], np.array(scores)[order]
    ax.plot(across, up, "o", color=POINT, markersize=4, label="a trial")
    sign = sign_of(objective)
    ax.step(
        across, sign * np.maximum.accumulate(sign * up), where="post", color=BEST_LINE, label="best so far"
    )
    ax.set(xlabel=label, ylabel=objective)
    ax.legend(loc="best", frameon=False)
    return to_svg(figure)


def curves_figure(histories: Sequence[tuple[int, Sequence[float]]], objective: str) -> str:
    """Values by epoch, the best trials' first in `histories` and in color; each with the epochs that came before."""
    figure, ax = new_figure(7, 3.2)
    colors = colormaps["viridis"](np.linspace(0.9, 0, BEST_CURVES))
    for rank, (before, values) in reversed(list(enumerate(histories))):
        shown = rank < BEST_CURVES
        color = tuple(colors[BEST_CURVES - 1 - rank]) if shown else PALE
        epochs = range(before + 1, before + len(values) + 1)
        ax.plot(epochs, values, ".-", color=color, linewidth=1.5 if shown else 0.7)
    ax.set(xlabel="epoch", ylabel=objective)
    return to_svg(figure)


def importance_figure(shares: Mapping[str, float]) -> str:
    """Bars, the longest on top."""
    figure, ax = new_figure(7, 0.8 + 0.27 * len(shares))
    names = list(shares)[::-1]
    ax.barh(names, [shares[name] for name in names], color=POINT)
    ax.set(xlabel="variance of the score that is explained less without it")
    return to_svg(figure)


def parallel_figure(
    space: kt.HyperParameters, configurations: Sequence[dict], scores: Sequence[float], objective: str
) -> str:
    """Each point as a line over the hyperparameters to its score, which is its color too; good ones on top."""
    varied = columns(space)
    figure, ax = new_figure(1.5 + 0.95 * (len(varied) + 1), 5)
    least, most = min(scores), max(scores)
    sign = sign_of(objective)
    for index in np.argsort(sign * np.array(scores)):
        height = (scores[index] - least) / (most - least) if most > least else 0.5
        goodness = height if sign > 0 else 1 - height
        line = [*(position(parameters, configurations[index]) for parameters in varied.values()), height]
        ax.plot(line, color=colormaps["viridis"](goodness), linewidth=1.2, marker=".", markersize=4)
    for number, parameters in enumerate(varied.values()):
        ax.axvline(number, color=PALE, linewidth=0.8, zorder=0)
        _mark(ax, number, parameters)
    ax.axvline(len(varied), color=PALE, linewidth=0.8, zorder=0)
    for height, value in ((0.0, least), (1.0, most)):
        ax.text(len(varied) + 0.06, height, f"{value:.3f}", fontsize=7, va="center")
    ax.set_xticks(range(len(varied) + 1), [*varied, objective], rotation=35, ha="right")
    ax.set(yticks=[], ylim=(-0.05, 1.05), xlim=(-0.1, len(varied) + 0.5))
    ax.spines[:].set_visible(False)
    return to_svg(figure)


def front_figure(
    across: str, up: str, x: Sequence[float], y: Sequence[float], front: Sequence[bool], joined: bool
) -> str:
    """Trials by two objectives, `across` and `up`; those of the Pareto front are red.

    joined: whether a line joins them, which is a front only where there are no further objectives.
    """
    figure, ax = new_figure(7, 3.6)
    points = np.array([x, y], float)
    chosen = np.array(front, bool)
    ax.plot(*points[:, ~chosen], "o", color=PALE, markersize=4, label="a trial")
    order = np.argsort(points[0, chosen], kind="stable")
    ax.plot(
        *points[:, chosen][:, order],
        "o--" if joined else "o",
        color=BEST_LINE,
        markersize=5,
        linewidth=0.8,
        label="Pareto front",
    )
    if points[0].min() > 0 and points[0].max() > LOGARITHMIC * points[0].min():
        ax.set_xscale("log")
    ax.set(xlabel=across, ylabel=up)
    ax.legend(loc="best", frameon=False)
    return to_svg(figure)


def _mark(ax: Axes, number: int, parameters: Sequence) -> None:
    """Values beside an axis: all choices, or the ends of a range, if there is only one."""
    values = list(parameters[0].values)
    if hasattr(parameters[0], "min_value"):
        values = [parameters[0].min_value, parameters[0].max_value]
    for value in values:
        text = f"{value:.3g}" if isinstance(value, float) else str(value)
        if len(parameters) > 1:
            text = "high" if value == values[-1] else "low"
        height = float(parameters[0].value_to_prob(value))
        ax.text(
            number + 0.06,
            height,
            text,
            fontsize=7,
            va="center",
            bbox={"color": "white", "alpha": 0.7, "pad": 0.5},
        )
