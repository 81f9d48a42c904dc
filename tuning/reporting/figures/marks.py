"""How trials are drawn in every figure: colored by score, and the best one as a star."""

from collections.abc import Sequence

from keras_cnn.pages.figures import plot_text
from keras_cnn.pages.palette import BEST, colorscale
from tuning.reporting.trial_data import TrialData

MANY = 150  # points, from which on they are small


def trial_points(
    data: TrialData, x: Sequence, y: Sequence, hover: Sequence[str], places: Sequence[int] | None = None
) -> list[dict]:
    """Traces of points, one for each of the completed trials at `places` (all if None), the best one's on top.

    Args:
        data: the trials; the best is the first.
        x, y: of each point; None or NaN where there is none.
        hover: what is shown of each on hovering, beside its number.
        places: of the points among the completed trials.
    """
    places = range(len(data.completed)) if places is None else places
    low, high = data.color_range
    names = [data.names[place] for place in places]
    points = {
        "type": "scatter",
        "mode": "markers",
        "name": "trial",
        "x": list(x),
        "y": list(y),
        "customdata": names,
        "text": [plot_text(text) for text in hover],
        "hovertemplate": "trial %{customdata}<br>%{text}<extra></extra>",
        "showlegend": False,
        "marker": {
            "size": 9 if len(names) <= MANY else 6,
            "color": [data.scores[place] for place in places],
            "colorscale": colorscale(data.sign),
            "cmin": low,
            "cmax": high,
            "line": {"width": 1 if len(names) <= MANY else 0, "color": "rgba(128,128,128,.7)"},
        },
    }
    if 0 not in places:
        return [points]
    first = list(places).index(0)
    star = {"size": 16, "symbol": "star", "color": BEST, "line": {"width": 1, "color": "white"}}
    best = {**points, "marker": star, "name": f"best trial ({data.names[0]})", "showlegend": True}
    best |= {name: [points[name][first]] for name in ("x", "y", "customdata", "text")}  # type: ignore[index]
    return [points, best]
