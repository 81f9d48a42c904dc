"""Learning curves: the objective by epoch, of each trial."""

from keras_cnn.pages.figures import Figure, axis, integer_axis, plot_text
from keras_cnn.pages.palette import BEST, NEUTRAL, color_of
from tuning.reporting.trial_data import TrialData

COLORED = 10  # curves of the best trials
PALE = 200  # of the others at most, evenly by rank: more would be a gray area


def curves(data: TrialData) -> Figure | None:
    """A line for each trial, with the epochs that came before in the trial that it continues."""
    lines = [_line(data, place) for place in range(len(data.completed))]
    shown = [place for place, (x, _) in enumerate(lines) if x]
    if not shown:
        return None
    others = shown[COLORED:]
    step = max(1, -(-len(others) // PALE))
    pale = others[::step]
    colored = shown[:COLORED]
    traces = [
        *([_pale(data, pale, lines)] if pale else []),
        *(_curve(data, place, *lines[place]) for place in colored[::-1]),
    ]
    epochs = [epoch for place in shown for epoch in (lines[place][0][0], lines[place][0][-1])]
    first, values = lines[shown[0]]
    message = (
        f"The best trial, {data.names[shown[0]]}, is the orange line: {data.objective} {values[0]:.4f} in epoch "
        f"{first[0]}, {values[-1]:.4f} in epoch {first[-1]}."
    )
    if pale:
        message += f" The {len(colored)} best are colored, {len(pale)} others gray"
        message += f" (of {len(others)})." if step > 1 else "."
    return Figure(
        "curves",
        "Learning curves",
        message,
        traces,
        {
            "xaxis": integer_axis("epoch", epochs),
            "yaxis": axis(data.objective),
            "showlegend": False,
        },
        ("trial", "epochs", f"first {data.objective}", f"last {data.objective}", f"best {data.objective}"),
        [
            (data.names[place], str(len(x)), *(f"{value:.4f}" for value in (y[0], y[-1], _best(data, y))))
            for place in colored
            for x, y in [lines[place]]
        ],
    )


def _line(data: TrialData, place: int) -> tuple[list[int], list[float]]:
    """Epochs and values of a trial."""
    row = data.completed[place]
    values = data.metrics[row["trial"]].get("history", {}).get(data.objective, [])
    before = row.get("tuner/initial_epoch", 0)
    return list(range(before + 1, before + len(values) + 1)), values


def _best(data: TrialData, values: list[float]) -> float:
    return max(values, key=lambda value: data.sign * value)


def _curve(data: TrialData, place: int, x: list[int], y: list[float]) -> dict:
    best = place == 0
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": x,
        "y": y,
        "customdata": [data.names[place]] * len(x),
        "name": plot_text(f"trial {data.names[place]}"),
        "hovertemplate": "trial %{customdata}, epoch %{x}: %{y:.4f}<extra></extra>",
        "line": {
            "color": BEST if best else color_of(data.goodness(data.scores[place])),
            "width": 3 if best else 1.7,
        },
        "marker": {"size": 6 if best else 4},
    }


def _pale(data: TrialData, places: list[int], lines: list[tuple[list[int], list[float]]]) -> dict:
    """The curves of all these trials as one trace, which draws quickly."""
    x: list[int | None] = []
    y: list[float | None] = []
    names: list[str | None] = []
    for place in places:
        x += [*lines[place][0], None]
        y += [*lines[place][1], None]
        names += [*[data.names[place]] * len(lines[place][0]), None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "customdata": names,
        "hovertemplate": "trial %{customdata}, epoch %{x}: %{y:.4f}<extra></extra>",
        "line": {"color": NEUTRAL, "width": 0.7},
        "opacity": 0.6,
    }
