"""Figures of a run by epoch: losses and scores, learning rate, time and memory."""

from collections.abc import Sequence

from keras_cnn.pages.figures import Figure, axis, integer_axis, plot_text
from keras_cnn.pages.palette import BEST, KINDS
from keras_cnn.training.epoch_costs import EpochCost
from keras_cnn.training.tasks import sign_of

GIGABYTE = 1e9
ROWS = 20  # of a table, evenly over the epochs


def course_figures(metrics: dict, costs: Sequence[EpochCost]) -> list[Figure]:
    """metrics: metrics.json of the run. costs: of its epochs; empty if they are not known."""
    score = (metrics.get("objective") or "").removeprefix("val_")
    epochs = recorded_epochs(metrics, costs)
    names = [name for name in dict.fromkeys(("loss", score)) if name in metrics.get("history", {})]
    figures = [_curve(metrics, name, number, epochs) for number, name in enumerate(names, start=1)]
    if costs:
        figures += [_rate(costs), _time(costs), _memory(costs)]
    return figures


def recorded_epochs(metrics: dict, costs: Sequence[EpochCost]) -> range:
    """Numbers of the epochs in the history: not from 1 on where a trial continues another, none of older runs."""
    count = max(map(len, metrics.get("history", {}).values()), default=0)
    last = costs[-1]["epoch"] if costs else max(count, metrics["best_epoch"])
    return range(last - count + 1, last + 1)


def _curve(metrics: dict, name: str, number: int, epochs: range) -> Figure:
    history, best = metrics["history"], metrics["best_epoch"]
    lines = [
        (key, label) for key, label in ((name, "training"), (f"val_{name}", "validation")) if key in history
    ]
    traces = [_line(epochs, history[key], label, KINDS[place]) for place, (key, label) in enumerate(lines)]
    shown = lines[-1][0]
    star = {"size": 15, "symbol": "star", "color": BEST}
    point = _line([best], [history[shown][epochs.index(best)]], f"best epoch ({best})", BEST)
    traces.append({**point, "mode": "markers", "marker": star})
    return Figure(
        f"curve-{number}",
        name.replace("_", " ").capitalize(),
        _curve_message(history[shown], name, shown, best, epochs),
        traces,
        {"xaxis": integer_axis("epoch", list(epochs)), "yaxis": axis(name)},
        ("epoch", *(label for _, label in lines)),
        [
            (str(epochs[place - 1]), *(f"{history[key][place - 1]:.4f}" for key, _ in lines))
            for place in _some(len(epochs))
        ],
    )


def _curve_message(values: Sequence[float], name: str, shown: str, best: int, epochs: range) -> str:
    at_best = f"{shown} is {values[epochs.index(best)]:.4f} in the best epoch, {best} of {epochs[-1]}"
    if len(values) == 1:
        return f"{at_best}."
    if best == epochs[-1]:
        return f"{at_best}, which is the last: longer training may be better."
    change = "better" if sign_of(name) * (values[-1] - values[epochs.index(best)]) > 0 else "worse"
    return f"{at_best}, and {values[-1]:.4f} in the last one, which is {change}."


def _rate(costs: Sequence[EpochCost]) -> Figure:
    rates = [cost["learning_rate"] for cost in costs]
    return _by_epoch(
        costs,
        ("rate", "Learning rate", "learning rate"),
        rates,
        f"The learning rate after the last step of an epoch, at most {max(rates):.3g}, at last {rates[-1]:.3g}.",
        ".3g",
    )


def _time(costs: Sequence[EpochCost]) -> Figure:
    seconds = [cost["seconds"] for cost in costs]
    later = seconds[1:] or seconds
    return _by_epoch(
        costs,
        ("time", "Time", "seconds"),
        seconds,
        f"{sum(seconds):.1f} s in all; the first epoch, which builds the graph, took {seconds[0]:.1f} s, the others "
        f"{sum(later) / len(later):.2f} s on average.",
        ".2f",
    )


def _memory(costs: Sequence[EpochCost]) -> Figure:
    used = [(cost["gpu_memory"] or cost["memory"]) / GIGABYTE for cost in costs]
    what = "the GPU, at most so far" if costs[-1]["gpu_memory"] else "the process"
    return _by_epoch(
        costs,
        ("memory", "Memory", "GB"),
        used,
        f"Memory of {what}: {used[0]:.2f} GB after the first epoch, {used[-1]:.2f} GB after the last.",
        ".2f",
    )


def _by_epoch(
    costs: Sequence[EpochCost], names: tuple[str, str, str], values: Sequence[float], message: str, form: str
) -> Figure:
    """names: of the element, of the figure, and of its axis. form: of the numbers in its table."""
    name, title, label = names
    epochs = [cost["epoch"] for cost in costs]
    return Figure(
        name,
        title,
        message,
        [_line(epochs, values, label, KINDS[0])],
        {
            "xaxis": integer_axis("epoch", epochs),
            "yaxis": axis(label, rangemode="tozero"),
            "showlegend": False,
        },
        ("epoch", label),
        [(str(epochs[place - 1]), format(values[place - 1], form)) for place in _some(len(epochs))],
        height=260,
    )


def _line(x: Sequence[int], y: Sequence[float], name: str, color: str) -> dict:
    mode = "lines+markers" if len(x) <= 60 else "lines"
    line, marker = {"color": color, "width": 2}, {"size": 5, "color": color}
    common = {"type": "scatter", "x": list(x), "y": list(y), "name": plot_text(name), "mode": mode}
    return common | {"line": line, "marker": marker, "hovertemplate": "epoch %{x}: %{y:.4g}"}


def _some(count: int) -> list[int]:
    """Epochs from 1 to `count`, at most ROWS, evenly, with the last."""
    step = max(1, -(-count // ROWS))
    return sorted({*range(1, count + 1, step), count})
