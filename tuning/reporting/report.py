"""What a study found: trials.csv for programs, report.md and report.html for people, a table for the terminal."""

from pathlib import Path

from keras_cnn.files import to_csv, write_text
from keras_cnn.records import write_record
from keras_cnn.training.run_directory import BEST
from tuning.config import StudyConfig
from tuning.reporting.grid import grid, short
from tuning.reporting.html import page
from tuning.reporting.pareto import explanation, front_markdown
from tuning.reporting.ties import ties
from tuning.reporting.winner import mean_of, test_line
from tuning.storage.trials import OUTCOME, Row, flat, hyperparameters, run_directory, summary_line, trials


def table(study: StudyConfig, rows: list[Row]) -> str:
    """A Markdown table of the trials, aligned for a terminal."""
    header = ("trial", "state", study.objective, "epoch", "seconds", "parameters", "hyperparameters")
    lines = [
        (
            row["trial"],
            row["state"],
            _score(row),
            f"{_number(row['best_epoch'], 'd')}/{_number(row['epochs'], 'd')}",
            _number(row["seconds"], ".1f"),
            _number(row["parameters"], ",d"),
            ", ".join(f"{name} {short(value)}" for name, value in hyperparameters(row).items()),
        )
        for row in rows
    ]
    return grid(header, lines)


def write_report(study: StudyConfig) -> Path:
    """Write trials.csv, report.md, report.html and, if a trial completed, best.json into the study's directory.

    Returns the path of report.md.
    """
    rows = trials(study)
    if rows and rows[0]["score"] is not None:
        run = run_directory(study, rows[0]).relative_to(study.directory)
        chosen = {"run": str(run), "score": rows[0]["score"], "hyperparameters": hyperparameters(rows[0])}
        write_record(study.directory / BEST, chosen)
    columns = flat(rows)
    names = list(dict.fromkeys(name for row in columns for name in row)) or list(OUTCOME)
    write_text(study.directory / "trials.csv", to_csv(columns, names))
    path = study.directory / "report.md"
    write_text(path, _markdown(study, rows))
    write_text(study.directory / "report.html", page(study, rows))
    return path


def _markdown(study: StudyConfig, rows: list[Row]) -> str:
    completed = [row for row in rows if row["score"] is not None]
    text = [
        f"# Study {study.name}",
        "",
        summary_line(study, rows),
        "",
        *_best_section(study, completed),
        *_front_section(study, rows),
        "## Trials",
        "",
        table(study, rows),
        "",
    ]
    failed = [row for row in rows if row["message"]]
    if failed:
        text += [
            "## Causes",
            "",
            *(f"- trial {row['trial']}: {row['message'].splitlines()[0]}" for row in failed),
            "",
        ]
    return "\n".join(text)


def _best_section(study: StudyConfig, completed: list[Row]) -> list[str]:
    if not completed:
        return ["No trial has completed.", ""]
    winner = completed[0]
    lines = ["## Best", "", f"Trial {winner['trial']}: {study.objective} {winner['score']:.4f}"]
    if winner["interval"]:
        lines[-1] += f", {mean_of(study, winner)}"
    if tested := test_line(study, winner):
        lines[-1] += f"; {tested}, read once"
    tied = ties(study, completed)
    lines += ["", tied] if tied else []
    values = [f"- {name}: {short(value)}" for name, value in hyperparameters(winner).items()]
    fixed_hyperparameters = [
        f"- {name}: {short(value)} (given)" for name, value in study.fixed_hyperparameters.items()
    ]
    return [*lines, "", *values, *fixed_hyperparameters, ""]


def _front_section(study: StudyConfig, rows: list[Row]) -> list[str]:
    table = front_markdown(study, rows)
    return ["## Pareto front", "", explanation(study), "", table, ""] if table else []


def _score(row: Row) -> str:
    if not row["interval"] or row["score"] is None:
        return _number(row["score"], ".4f")
    low, high = row["interval"]
    return f"{row['score']:.4f} ({low:.4f}-{high:.4f})"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
