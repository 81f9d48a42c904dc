"""The Pareto front of a search with several objectives, in words and as a table."""

from collections.abc import Iterable, Sequence
from html import escape

from tuning.config import StudyConfig
from tuning.reporting.figures import front_figure
from tuning.reporting.grid import grid, short
from tuning.storage.trials import Row, hyperparameters, objective_values


def front_of(rows: Sequence[Row]) -> list[Row]:
    """Those of `rows`, as of `trials`, that are on the front, by the first objective."""
    return [row for row in rows if row["pareto"]]


def explanation(study: StudyConfig) -> str:
    """What the front is, and what the search was after."""
    names = [f"{one.name} ({'highest' if one.sign > 0 else 'lowest'} is best)" for one in study.objectives]
    return (
        f"Of the trials that completed, none is at least as good as one of these in all of {', '.join(names)} and "
        f"better in one. The search chose its configurations by {study.objective} alone."
    )


def front_markdown(study: StudyConfig, rows: Sequence[Row]) -> str:
    """The front as a Markdown table, aligned for a terminal; empty of a study with one objective."""
    front = front_of(rows)
    return grid(*_cells(study, front)) if front else ""


def front_html(study: StudyConfig, rows: Sequence[Row]) -> Iterable[str]:
    """A figure for each objective beside the first, and the table."""
    front = front_of(rows)
    if not front:
        return
    yield f"<h2>Pareto front</h2><p>{escape(explanation(study))}</p>"
    found = [(row, objective_values(study, row)) for row in rows if row["score"] is not None]
    shown = [(row["pareto"], values) for row, values in found if None not in values.values()]
    for one in study.objectives[1:]:
        x, y = ([values[name] for _, values in shown] for name in (one.name, study.objective))
        front_marks = [on_front for on_front, _ in shown]
        joined = len(study.objectives) == 2
        yield front_figure(one.name, study.objective, x, y, front_marks, joined)  # type: ignore[arg-type]
    header, lines = _cells(study, front)
    table = ["".join(f"<th>{escape(name)}</th>" for name in header)]
    table += ["".join(f"<td>{escape(cell)}</td>" for cell in line) for line in lines]
    yield f'<div class="table"><table><tr>{"</tr><tr>".join(table)}</tr></table></div>'


def _cells(study: StudyConfig, front: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    header = ["trial", *(one.name for one in study.objectives), "hyperparameters"]
    lines = [
        [
            row["trial"],
            *map(_number, objective_values(study, row).values()),
            ", ".join(f"{name} {short(value)}" for name, value in hyperparameters(row).items()),
        ]
        for row in front
    ]
    return header, lines


def _number(value: float | None) -> str:
    return f"{value:,d}" if isinstance(value, int) else f"{value:.4f}"
