"""Bars: importance of the hyperparameters, and how trials ended."""

import re
from collections.abc import Sequence

from keras_cnn.pages.figures import Figure, axis, integer_axis, plot_text
from keras_cnn.pages.palette import KINDS
from tuning.config import COMPLETED
from tuning.reporting.figures.timeline import COLORS, FINISHED, OTHER, PRUNED
from tuning.reporting.importance import MIN_TRIALS
from tuning.reporting.trial_data import TrialData

BAR_HEIGHT = 30  # px
REASON_CHARACTERS = 160
LABEL_CHARACTERS = 30


def importance_figure(data: TrialData) -> Figure | None:
    """None with too few trials."""
    found = data.importance
    if not found:
        return None
    names = list(found)[::-1]
    values = [found[name].value for name in names]
    first = next(iter(found))
    one = found[first]
    message = (
        f"{first} matters most: without it the error of predicted scores rises by {one.value:.0%} of their variance "
        f"(95 % interval {one.low:.0%} to {one.high:.0%}), measured on trials held out. "
        f"Estimated from {len(data.completed)} trials."
        if one.low > 0
        else f"No hyperparameter clearly matters in {len(data.completed)} trials: all intervals reach 0."
        if all(each.low <= 0 for each in found.values())
        else f"{first} has the largest estimate, but its 95 % interval reaches 0."
    )
    return Figure(
        "importance",
        "Importance of the hyperparameters",
        message,
        [
            {
                "type": "bar",
                "orientation": "h",
                "y": [plot_text(name) for name in names],
                "x": values,
                "marker": {"color": KINDS[0]},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [found[name].high - found[name].value for name in names],
                    "arrayminus": [found[name].value - found[name].low for name in names],
                    "color": "#8c919a",
                },
                "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
            }
        ],
        {
            "xaxis": axis("increase of error / variance", rangemode="tozero"),
            "yaxis": {"automargin": True, "type": "category"},
        },
        ("hyperparameter", "importance", "95 % interval"),
        [(name, f"{each.value:.3f}", f"{each.low:.3f} to {each.high:.3f}") for name, each in found.items()],
        height=110 + BAR_HEIGHT * len(found),
    )


def too_few(data: TrialData) -> str:
    """Why there is no importance."""
    return (
        f"Importance is measured from {MIN_TRIALS} completed trials with different scores on; here are "
        f"{len(data.completed)}."
    )


def endings(data: TrialData) -> Figure | None:
    """How many trials ended for which reason."""
    if not data.rows:
        return None
    groups: dict[tuple[str, str], list[dict]] = {}
    for row in data.rows:
        kind, reason = _ending(data, row)
        groups.setdefault((kind, reason), []).append(row)
    ordered = sorted(groups.items(), key=lambda pair: -len(pair[1]))
    counts = [len(rows) for _, rows in ordered]
    (_, reason), rows = ordered[0]
    message = f"{len(data.completed)} of {len(data.rows)} trials have a score. The most frequent end, of {len(rows)}: "
    message += f"{reason}."
    return Figure(
        "endings",
        "Why trials ended",
        message,
        [_bar(kind, ordered) for kind in dict.fromkeys(kind for (kind, _), _ in ordered)],
        {
            "xaxis": integer_axis("trials", [0, *counts], rangemode="tozero")
            | {"range": [0, 1.05 * max(counts)]},
            "yaxis": {
                "automargin": True,
                "type": "category",
                "categoryorder": "array",
                "categoryarray": [_label(reason) for (_, reason), _ in ordered[::-1]],
            },
            "barmode": "overlay",
        },
        ("end", "number", "trials", "reason"),
        [
            (kind, str(len(rows)), _names([row["trial"] for row in rows]), reason)
            for (kind, reason), rows in ordered
        ],
        height=120 + BAR_HEIGHT * len(ordered),
    )


def _ending(data: TrialData, row: dict) -> tuple[str, str]:
    """(kind, reason); numbers in a reason are left out, so that those of one kind are counted together."""
    if row["state"] == COMPLETED and row["pruned"]:
        return PRUNED, f"the pruner: {_without_numbers(row['pruned'])}"
    if row["state"] == COMPLETED:
        return FINISHED, _completed(data, row)
    first = str(row["message"] or "").partition("\n")[0]
    reason = _without_numbers(f"{row['state']}: {first}" if first else row["state"])
    return OTHER, reason if len(reason) <= REASON_CHARACTERS else f"{reason[: REASON_CHARACTERS - 1]}…"


def _completed(data: TrialData, row: dict) -> str:
    history = data.metrics[row["trial"]].get("history", {}).get(data.objective, [])
    trained = row.get("tuner/initial_epoch", 0) + len(history)
    if row["epochs"] and history and trained < row["epochs"]:
        return "no better epoch for as long as patience allows"
    return "all epochs trained"


def _without_numbers(text: str) -> str:
    return re.sub(r"(?<![\w])[-+]?\d[\d.,]*(e[-+]?\d+)?", "N", text)


def _label(reason: str) -> str:
    return plot_text(reason if len(reason) <= LABEL_CHARACTERS else f"{reason[: LABEL_CHARACTERS - 1]}…")


def _bar(kind: str, ordered: Sequence[tuple[tuple[str, str], list[dict]]]) -> dict:
    mine = [(reason, len(rows)) for (own, reason), rows in ordered if own == kind]
    return {
        "type": "bar",
        "orientation": "h",
        "name": kind,
        "y": [_label(reason) for reason, _ in mine],
        "x": [count for _, count in mine],
        "text": [str(count) for _, count in mine],
        "textposition": "auto",
        "marker": {"color": COLORS[kind]},
        "hovertext": [plot_text(reason) for reason, _ in mine],
        "hovertemplate": "%{x} trials: %{hovertext}<extra></extra>",
    }


def _names(trials: Sequence[str]) -> str:
    more = f" and {len(trials) - 5} more" if len(trials) > 5 else ""
    return ", ".join(trials[:5]) + more
