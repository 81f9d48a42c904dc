"""The best score so far, over trials and over time."""

from collections.abc import Sequence

import numpy as np

from keras_cnn.pages.figures import Figure, axis, integer_axis
from keras_cnn.pages.palette import BEST
from tuning.reporting.figures.marks import trial_points
from tuning.reporting.timing import busy_minutes
from tuning.reporting.trial_data import TrialData


def over_trials(data: TrialData) -> Figure:
    """Scores by number of the trial."""
    numbers = [int(name) for name in data.names]
    message = f"The best {data.objective}, {data.scores[0]:.4f}, came with trial {data.names[0]}" + _later(
        data
    )
    return _figure(data, "over-trials", "Score over trials", message, numbers, integer_axis("trial", numbers))


def over_time(data: TrialData) -> Figure | None:
    """Scores by the time at which a trial ended; None where that is not known."""
    minutes = busy_minutes(data)
    if minutes is None:
        return None
    ends = [minutes[name][1] for name in data.names]
    message = (
        f"The best {data.objective} was found after {ends[0]:.1f} of {max(ends):.1f} minutes. Pauses in which no "
        "trial ran are left out."
    )
    across = axis("minutes of the search", rangemode="tozero")
    return _figure(data, "over-time", "Score over time", message, ends, across)


def _later(data: TrialData) -> str:
    """How many completed trials came after the best one."""
    later = sum(name > data.names[0] for name in data.names)
    return f"; {later} completed trials after it brought no better one." if later else ", the last one."


def _figure(data: TrialData, name: str, title: str, message: str, x: Sequence[float], across: dict) -> Figure:
    order = np.argsort(x, kind="stable")
    scores = np.array(data.scores)[order]
    best = data.sign * np.maximum.accumulate(data.sign * scores)
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": "best so far",
        "x": np.array(x)[order],
        "y": best,
        "line": {"shape": "hv", "color": BEST, "width": 2},
        "hoverinfo": "skip",
    }
    improved = [place for place in range(len(best)) if place == 0 or best[place] != best[place - 1]]
    hover = [f"{data.objective} {score:.4f}" for score in data.scores]
    return Figure(
        name,
        title,
        message,
        [line, *trial_points(data, x, data.scores, hover)],
        {"xaxis": across, "yaxis": axis(data.objective)},
        (across["title"]["text"], "trial", f"best {data.objective} from then on"),
        [(f"{x[order[place]]:.4g}", data.names[order[place]], f"{best[place]:.4f}") for place in improved],
    )
