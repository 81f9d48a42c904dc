"""The Pareto front of a search with several objectives, in words and as a table."""

from collections.abc import Sequence

from tuning.config import StudyConfig
from tuning.reporting.grid import grid, number_text, short
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
    return grid(*front_table(study, front)) if front else ""


def front_table(study: StudyConfig, front: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """(header, cells) of a table of the front."""
    header = ["trial", *(one.name for one in study.objectives), "hyperparameters"]
    lines = [
        [
            row["trial"],
            *map(number_text, objective_values(study, row).values()),
            ", ".join(f"{name} {short(value)}" for name, value in hyperparameters(row).items()),
        ]
        for row in front
    ]
    return header, lines
