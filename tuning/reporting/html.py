"""report.html: a study in one file, with its pictures inside, that needs no network."""

from collections.abc import Iterable
from html import escape

from keras_cnn.web import STYLE
from tuning.config import StudyConfig
from tuning.oracles.base import declare_space
from tuning.reporting import figures
from tuning.reporting.importance import MIN_TRIALS, axes, importance
from tuning.reporting.pareto import front_html
from tuning.reporting.ties import ties
from tuning.storage.trials import Row, hyperparameters, outcome, summary_line

COLUMNS = ("trial", "state", "score", "best_epoch", "epochs", "seconds", "parameters")


def page(study: StudyConfig, rows: list[Row]) -> str:
    """The report as HTML. rows: as `rows.trials` gives them."""
    metrics = {row["trial"]: outcome(study.trial_directory(row["trial"])) for row in rows}
    completed = [row for row in rows if row["score"] is not None]
    title = f"Study {study.name}"
    body = [
        f"<h1>{escape(title)}</h1><p>{escape(summary_line(study, rows))}</p>",
        f"<p>{escape(ties(study, completed))}</p>",
        *(_pictures(study, completed, metrics) if completed else ["<p>No trial has completed.</p>"]),
        *front_html(study, rows),
        "<h2>Trials</h2>",
        _table(study, rows),
        *_causes(rows, metrics),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def _pictures(study: StudyConfig, completed: list[Row], metrics: dict[str, dict]) -> Iterable[str]:
    space, objective = declare_space(study), study.objective
    configurations, scores = (
        [hyperparameters(row, tuner=True) for row in completed],
        [row["score"] for row in completed],
    )
    ended = [metrics[row["trial"]].get("ended") for row in completed]
    yield "<h2>Score over trials</h2>"
    yield figures.scores_figure([int(row["trial"]) for row in completed], scores, "trial", objective)
    if all(ended):
        began = min(end - metrics[row["trial"]]["seconds"] for row, end in zip(completed, ended, strict=True))
        yield "<h2>Score over time</h2>"
        minutes = [(end - began) / 60 for end in ended]
        yield figures.scores_figure(minutes, scores, "minutes since the search began", objective)
    curves = [
        (row.get("tuner/initial_epoch", 0), metrics[row["trial"]].get("history", {}).get(objective, []))
        for row in completed
    ]
    yield "<h2>Learning curves</h2><p>The ten best are colored, the best darkest.</p>"
    yield figures.curves_figure(curves, objective)
    if axes(space):
        yield "<h2>Configurations</h2><p>A line is a trial; yellow ones score best. A line is interrupted where a "
        yield "hyperparameter belongs to a choice that was not made. Low and high are the ends of the range of that "
        yield "choice.</p>"
        yield figures.parallel_figure(space, configurations, scores, objective)
    shares = importance(space, configurations, scores)
    yield "<h2>Importance of the hyperparameters</h2>"
    yield (
        figures.importance_figure(shares)
        if shares
        else f"<p>It takes {MIN_TRIALS} completed trials with different scores to measure importance.</p>"
    )


def _table(study: StudyConfig, rows: list[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in hyperparameters(row)))
    several = study.search.runs > 1
    columns = [*COLUMNS, *(["interval"] if several else []), *names]
    header = "".join(f"<th>{escape(name)}</th>" for name in columns)
    lines = [
        f"<tr{'' if row['score'] is not None else ' class=bad'}>"
        + "".join(f"<td>{_cell(row.get(name))}</td>" for name in columns)
        + "</tr>"
        for row in rows
    ]
    return f'<div class="table"><table><tr>{header}</tr>{"".join(lines)}</table></div>'


def _causes(rows: list[Row], metrics: dict[str, dict]) -> Iterable[str]:
    failed = [row for row in rows if row["message"]]
    if failed:
        yield "<h2>Causes</h2>"
    for row in failed:
        first, _, rest = str(row["message"]).partition("\n")
        more = metrics[row["trial"]].get("traceback") or rest
        headline = f"trial {row['trial']}, {row['state']}: {first}"
        yield (
            f"<details><summary>{escape(headline)}</summary><pre>{escape(more)}</pre></details>"
            if more
            else f"<p>{escape(headline)}</p>"
        )


def _cell(value: object) -> str:
    if isinstance(value, list):  # an interval
        return " to ".join(map(_cell, value))
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else escape(str(value))
