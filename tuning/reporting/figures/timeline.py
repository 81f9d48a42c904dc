"""What ran when: a bar for each trial."""

from keras_cnn.pages.figures import Figure, axis, plot_text
from keras_cnn.pages.palette import BEST, KINDS, NEUTRAL
from tuning.config import COMPLETED
from tuning.reporting.figures.marks import MANY
from tuning.reporting.timing import busy_minutes, lanes
from tuning.reporting.trial_data import TrialData

# how a trial ended -> its color
FINISHED, PRUNED, OTHER = "completed", "ended early", "no score"
COLORS = {FINISHED: KINDS[0], PRUNED: KINDS[4], OTHER: KINDS[1]}
ROW_HEIGHT = 34  # px


def timeline(data: TrialData) -> Figure | None:
    """Trials by time; in a row no two at once. None where times are not known."""
    spans = busy_minutes(data)
    if not spans:
        return None
    rows = dict(zip(spans, lanes(spans.values()), strict=True))
    count = max(rows.values()) + 1
    kinds = {row["trial"]: _kind(row) for row in data.rows if row["trial"] in spans}
    groups = {kind: [trial for trial in spans if kinds[trial] == kind] for kind in COLORS}
    if data.names:
        groups = {kind: [one for one in trials if one != data.names[0]] for kind, trials in groups.items()}
        groups["best"] = data.names[:1]
    traces = [_bars(kind, trials, spans, rows) for kind, trials in groups.items() if trials]
    total = max(end for _, end in spans.values())
    busy = sum(end - start for start, end in spans.values()) / (count * total) if total else 1.0
    message = (
        f"{len(spans)} trials, at most {count} at once, in {total:.1f} minutes; {busy:.0%} of the places were busy. "
        "A row is a place that runs one trial at a time."
    )
    longest = sorted(spans, key=lambda trial: spans[trial][0] - spans[trial][1])[:10]
    return Figure(
        "timeline",
        "Workers over time",
        message,
        traces,
        {
            "barmode": "overlay",
            "bargap": 0.15,
            "xaxis": axis("minutes of the search", rangemode="tozero"),
            "yaxis": axis("place", tickvals=list(range(count)), ticktext=list(range(1, count + 1)))
            | {"range": [count - 0.4, -0.6]},
        },
        ("longest trials", "minutes", "ended as"),
        [(one, f"{spans[one][1] - spans[one][0]:.2f}", kinds[one]) for one in longest],
        height=140 + ROW_HEIGHT * min(count, 16),
    )


def _kind(row: dict) -> str:
    if row["state"] != COMPLETED:
        return OTHER
    return PRUNED if row["pruned"] else FINISHED


def _bars(kind: str, trials: list[str], spans: dict, rows: dict[str, int]) -> dict:
    color = BEST if kind == "best" else COLORS.get(kind, NEUTRAL)
    return {
        "type": "bar",
        "orientation": "h",
        "name": kind,
        "base": [spans[trial][0] for trial in trials],
        "x": [spans[trial][1] - spans[trial][0] for trial in trials],
        "y": [rows[trial] for trial in trials],
        "customdata": trials,
        "text": [plot_text(f"{spans[trial][1] - spans[trial][0]:.2f} minutes") for trial in trials],
        "textposition": "none",
        "hovertemplate": f"trial %{{customdata}}: %{{text}}<extra>{kind}</extra>",
        "marker": {
            "color": color,
            "line": {"width": int(len(spans) <= MANY), "color": "rgba(255,255,255,.8)"},
        },
    }
