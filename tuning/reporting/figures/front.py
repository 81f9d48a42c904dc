"""The Pareto front: the first objective over each of the others."""

from collections.abc import Iterable

from keras_cnn.pages.figures import Figure, axis, log_axis
from keras_cnn.pages.palette import BEST
from tuning.objectives import Objective
from tuning.reporting.figures.marks import trial_points
from tuning.reporting.grid import number_text
from tuning.reporting.pareto import front_of, front_table
from tuning.reporting.trial_data import TrialData
from tuning.storage.trials import objective_values

LOGARITHMIC = 30  # times the least is the most, from which on an axis is logarithmic


def fronts(data: TrialData) -> Iterable[Figure]:
    """A figure for each objective beside the first."""
    for number, one in enumerate(data.study.objectives[1:], start=1):
        if figure := front(data, one, number):
            yield figure


def front(data: TrialData, other: Objective, number: int) -> Figure | None:
    """The first objective over `other`; the front is joined only where there are no further objectives."""
    values = [objective_values(data.study, row) for row in data.completed]
    places = [place for place, one in enumerate(values) if None not in one.values()]
    if not places:
        return None
    x = [values[place][other.name] for place in places]
    y = [data.scores[place] for place in places]
    chosen = [place for place in places if data.completed[place]["pareto"]]
    chosen.sort(key=lambda place: values[place][other.name])  # type: ignore[arg-type,return-value]
    joined = len(data.study.objectives) == 2
    line = {
        "type": "scatter",
        "mode": "lines+markers" if joined else "markers",
        "name": "Pareto front",
        "x": [values[place][other.name] for place in chosen],
        "y": [data.scores[place] for place in chosen],
        "line": {"color": BEST, "width": 1.5, "dash": "dot"},
        "marker": {"size": 15, "symbol": "circle-open", "color": BEST, "line": {"width": 2}},
        "hoverinfo": "skip",
    }
    hover = [
        f"{data.objective} {data.scores[place]:.4f}, {other.name} {number_text(values[place][other.name])}"
        for place in places
    ]
    least, most = min(x), max(x)  # type: ignore[type-var]
    wide = least > 0 and most > LOGARITHMIC * least  # type: ignore[operator]
    across = log_axis(other.name, least, most) if wide else axis(other.name, exponentformat="none")  # type: ignore[arg-type]
    lowest = "lowest" if other.sign < 0 else "highest"
    return Figure(
        f"front-{number}",
        f"{data.objective} over {other.name}",
        f"{len(chosen)} of {len(places)} trials are on the front. The best {data.objective}, "
        f"{data.scores[0]:.4f}, has {other.name} {number_text(values[0][other.name])}; the {lowest} {other.name} on "
        f"the front is {_extreme(chosen, values, other)}.",
        [line, *trial_points(data, x, y, hover, places)],
        {"xaxis": across, "yaxis": axis(data.objective)},
        *front_table(data.study, front_of(data.completed)),
        height=400,
    )


def _extreme(chosen: list[int], values: list[dict], other: Objective) -> str:
    """The best value of `other` on the front, and the score it goes with."""
    place = max(chosen, key=lambda place: other.sign * values[place][other.name])
    first = next(iter(values[place]))
    return f"{number_text(values[place][other.name])}, with {first} {values[place][first]:.4f}"
