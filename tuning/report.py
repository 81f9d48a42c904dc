"""What a study found: trials.csv for programs, report.md for people, a table for the terminal."""

from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.files import read_json, to_csv, write_file, write_json
from keras_cnn.runs import BEST, METRICS, TEST
from keras_cnn.training.evaluate import summary
from tuning.lock import coordinator
from tuning.oracles import make_oracle
from tuning.settings import COMPLETED, INTERRUPTED, RUNNING, TRIAL, Study, read_trial

OUTCOME = (
    *("trial", "state", "score", "loss", "best_epoch", "epochs", "seconds", "parameters"),
    *("interval", "run", "pruned", "message"),
)


def trials(study: Study) -> list[dict]:
    """One flat dict a trial, best first, then those that did not complete; of equal scores the lower loss is better.

    Keys: those of OUTCOME (None where there is no such value) and every hyperparameter of the trial.
    """
    rows = [_row(study, trial) for trial in make_oracle(study).trials.values()]
    if not coordinator(study.directory):
        for row in rows:
            row["state"] = INTERRUPTED if row["state"] == RUNNING else row["state"]
    return sorted(
        rows, key=lambda row: (row["score"] is None, -(row["score"] or 0), row["loss"] or 0, row["trial"])
    )


def _row(study: Study, trial) -> dict:
    directory = study.trial_directory(trial.trial_id)
    metrics = read_json(directory / METRICS) if (directory / METRICS).exists() else {}
    done = {name: metrics.get(name) for name in OUTCOME}
    return {
        **done,
        "trial": trial.trial_id,
        "state": trial.status if trial.status == RUNNING else metrics.get("state", trial.status),
        "score": trial.score if trial.status == COMPLETED else None,
        "epochs": read_trial(directory).stop_epoch if (directory / TRIAL).exists() else None,
        "message": metrics.get("message") or trial.message,
        **trial.hyperparameters.values,
    }


def best(study: Study) -> dict:
    """The row of the best trial; InputError if none has completed."""
    rows = trials(study)
    if not rows or rows[0]["score"] is None:
        raise InputError(
            f"no trial of {study.directory} has completed; {len(rows)} were begun. "
            f"Continue with python -m tuning resume {study.directory}."
        )
    return rows[0]


def run_directory(study: Study, row: dict) -> Path:
    """The directory of a trial's run; of several repeats, the best one's."""
    return study.trial_directory(row["trial"]) / (row["run"] or "")


def hyperparameters(row: dict) -> dict:
    """The searched values of a row, without its outcome and what the tuner added."""
    return {k: v for k, v in row.items() if k not in OUTCOME and not k.startswith("tuner/")}


def table(study: Study, rows: list[dict]) -> str:
    """A Markdown table of the trials, readable as it stands."""
    header = ("trial", "state", study.objective, "epoch", "seconds", "parameters", "hyperparameters")
    lines = [
        (
            row["trial"],
            row["state"],
            _number(row["score"], ".4f"),
            f"{_number(row['best_epoch'], 'd')}/{_number(row['epochs'], 'd')}",
            _number(row["seconds"], ".1f"),
            _number(row["parameters"], ",d"),
            ", ".join(f"{name} {_short(value)}" for name, value in hyperparameters(row).items()),
        )
        for row in rows
    ]
    widths = [max(len(cell) for cell in column) for column in zip(header, *lines, strict=True)]
    widths[-1] = 3  # the last column is long and need not be padded
    grid = [header, tuple("-" * width for width in widths), *lines]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
        for cells in grid
    )


def write_report(study: Study) -> Path:
    """Write trials.csv, report.md and, if a trial completed, best.json into the study's directory.

    Returns the path of report.md.
    """
    rows = trials(study)
    if rows and rows[0]["score"] is not None:
        run = run_directory(study, rows[0]).relative_to(study.directory)
        chosen = {"run": str(run), "score": rows[0]["score"], "hyperparameters": hyperparameters(rows[0])}
        write_json(study.directory / BEST, chosen)
    names = list(dict.fromkeys([*OUTCOME, *(name for row in rows for name in row)]))
    write_file(study.directory / "trials.csv", lambda aside: aside.write_text(to_csv(rows, names)))
    path = study.directory / "report.md"
    write_file(path, lambda aside: aside.write_text(_markdown(study, rows)))
    return path


def _markdown(study: Study, rows: list[dict]) -> str:
    base, completed = study.base, [row for row in rows if row["score"] is not None]
    seconds = sum(row["seconds"] or 0 for row in rows)
    text = [
        f"# Study {study.name}",
        "",
        f"{study.search.tuner} search of {', '.join(study.architectures)} on {base.data}: {len(rows)} trials, "
        f"{len(completed)} completed, {seconds / 60:.1f} minutes of training, at most {base.epochs} epochs, "
        f"seed {base.seed}.",
        "",
        *_best_section(study, completed),
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


def _best_section(study: Study, completed: list[dict]) -> list[str]:
    if not completed:
        return ["No trial has completed.", ""]
    winner = completed[0]
    lines = ["## Best", "", f"Trial {winner['trial']}: {study.objective} {winner['score']:.4f}"]
    if winner["interval"]:
        low, high = winner["interval"]
        lines[-1] += f", the mean of {study.search.repeats} runs (95 % interval {low:.4f}-{high:.4f})"
    test = run_directory(study, winner) / TEST
    if test.exists():
        lines[-1] += f"; {summary(read_json(test))}, read once"
    values = [f"- {name}: {_short(value)}" for name, value in hyperparameters(winner).items()]
    given = [f"- {name}: {_short(value)} (given)" for name, value in study.given.items()]
    return [*lines, "", *values, *given, ""]


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
