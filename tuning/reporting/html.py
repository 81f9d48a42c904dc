"""report.html: a study in one file, with its figures inside, that needs no network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keras_cnn.pages.figures import Figure
from keras_cnn.pages.render import render
from tuning.config import StudyConfig
from tuning.reporting.figures import bars, curves, front, incumbent, parallel, slices, timeline
from tuning.reporting.next_step import next_step
from tuning.reporting.pareto import explanation
from tuning.reporting.ties import ties
from tuning.reporting.trial_data import TrialData
from tuning.reporting.winner import interval_line, test_line, winner_facts
from tuning.storage.trials import Row, hyperparameters, summary_line

COLUMNS = ("trial", "state", "score", "best_epoch", "epochs", "seconds", "parameters")


@dataclass(frozen=True)
class Section:
    """A part of the page. name: of its element. note: a sentence below its heading."""

    name: str
    heading: str
    figures: Sequence[Figure]
    note: str = ""


def page(study: StudyConfig, rows: list[Row]) -> str:
    """The report as HTML. rows: as `trials` gives them, best first."""
    data = TrialData(study, rows)
    return render(
        "study.html",
        "tuning.reporting",
        title=f"Study {study.name}",
        summary=summary_line(study, rows),
        winner=_winner(data) if data.completed else None,
        next_step=next_step(data),
        ties=ties(study, data.completed),
        sections=list(_sections(data)),
        **_table(data),
        causes=list(_causes(data)),
    )


def _winner(data: TrialData) -> dict:
    best = data.completed[0]
    return {
        "objective": data.objective,
        "score": f"{best['score']:.4f}",
        "interval": interval_line(data.study, best),
        "test": test_line(data.study, best),
        "facts": winner_facts(data.study, best),
    }


def _sections(data: TrialData) -> Iterable[Section]:
    if data.completed:
        yield _section("course", "Scores", [incumbent.over_trials(data), incumbent.over_time(data)])
        yield _section("learning", "Learning curves", [curves.curves(data)])
        yield _section("search", "Hyperparameters", [parallel.parallel(data)])
        yield _section(
            "important",
            "What matters",
            [
                bars.importance_figure(data),
                slices.contour(data),
                *(slices.slice_figure(data, one, n) for n, one in enumerate(slices.two_axes(data), start=1)),
            ],
            "" if data.importance else bars.too_few(data),
        )
        if data.study.further_objectives:
            yield _section("front", "Pareto front", list(front.fronts(data)), explanation(data.study))
    yield _section("ends", "How the search ran", [bars.endings(data), timeline.timeline(data)])


def _section(name: str, heading: str, figures: Sequence[Figure | None], note: str = "") -> Section:
    return Section(name, heading, [one for one in figures if one is not None], note)


def _table(data: TrialData) -> dict:
    names = list(dict.fromkeys(name for row in data.rows for name in hyperparameters(row)))
    interval = ["interval"] if data.study.search.runs > 1 else []
    columns = [*COLUMNS, *interval, *names]
    rows = [
        {
            "name": row["trial"],
            "kind": "failed" if row["score"] is None else "best" if place == 0 else "",
            "cells": [_cell(row.get(name), name) for name in columns],
        }
        for place, row in enumerate(data.rows)
    ]
    return {"columns": columns, "rows": rows}


def _causes(data: TrialData) -> Iterable[dict]:
    for row in data.rows:
        if row["message"]:
            first, _, rest = str(row["message"]).partition("\n")
            more = data.metrics[row["trial"]].get("traceback") or rest
            yield {"headline": f"trial {row['trial']}, {row['state']}: {first}", "more": more}


def _cell(value: object, column: str = "") -> str:
    if isinstance(value, list):  # an interval
        return " to ".join(_cell(end, "score") for end in value)
    if isinstance(value, float):
        return f"{value:.4f}" if column == "score" else f"{value:.4g}"
    return "" if value is None else str(value)
