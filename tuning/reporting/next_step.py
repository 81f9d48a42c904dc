"""What to do next with a study, in one line: the first of several rules that applies."""

import shlex
from collections import Counter
from collections.abc import Callable

from tuning.config import COMPLETED, DAMAGED, INTERRUPTED, RUNNING
from tuning.reporting.ties import tied_trials
from tuning.reporting.trial_data import TrialData
from tuning.reporting.winner import test_line
from tuning.storage.in_memory import in_memory, resume_command

NEAR_END = 0.02  # of the range of a hyperparameter; so close to its end it may be better beyond
FAILED_SHARE = 0.5  # of trials without a score, from which on that comes first


def next_step(data: TrialData) -> str:
    """The sentence."""
    return next(text for rule in RULES if (text := rule(data)))


def _running(data: TrialData) -> str:
    running = sum(row["state"] == RUNNING for row in data.rows)
    if not running:
        return ""
    return f"{running} trials run: keras-cnn status {shlex.quote(str(data.study.directory))} shows how far they are."


def _unfinished(data: TrialData) -> str:
    left = [row for row in data.rows if row["state"] in (INTERRUPTED, DAMAGED)]
    if not left and data.rows:
        return ""
    many = f"{len(left)} trials were interrupted or are damaged" if left else "No trial has begun"
    return f"{many}: continue with {resume_command(data.study)}."


def _failures(data: TrialData) -> str:
    failed = [row for row in data.rows if row["state"] != COMPLETED]
    if len(failed) < FAILED_SHARE * len(data.rows):
        return ""
    (state, count), *_ = Counter(row["state"] for row in failed).most_common(1)
    message = next((str(row["message"]).partition("\n")[0] for row in failed if row["state"] == state), "")
    return f"{len(failed)} of {len(data.rows)} trials have no score, {count} of them {state}: {message}"


def _last_epoch(data: TrialData) -> str:
    best = data.completed[0]
    epochs = best["epochs"] or data.study.base.epochs  # which tuners choose for each trial
    if best["best_epoch"] is None or best["best_epoch"] < epochs:
        return ""
    return (
        f"The best epoch of the best trial is its last, {epochs}: longer training may score better. "
        f"Search again with {_again(data, 'epochs', 2 * epochs)}."
    )


def _range_end(data: TrialData) -> str:
    if data.study.space is None:  # the ranges of the built-in space are no option
        return ""
    for axis in data.axes.values():
        place = axis.position(data.configurations[0]) if axis.is_number else 0.5
        if place < NEAR_END or place > 1 - NEAR_END:
            end = axis.range[place > 0.5]
            return (
                f"The best trial has {axis.name} {axis.value(data.configurations[0]):.3g} at the end of its range "
                f"({end:.3g}): widen the range in build(hp) and search again."
            )
    return ""


def _tied(data: TrialData) -> str:
    tied, error = tied_trials(data.study, data.completed)
    if tied < 2:
        return ""
    return (
        f"{tied} trials are within one standard error ({error:.4f}) of the best: search again with "
        f"{_again(data, 'repeats', 3)} to tell them apart, or take the smallest of them."
    )


def _untested(data: TrialData) -> str:
    if test_line(data.study, data.completed[0]):
        return ""
    return f"The best trial has not been tested: {_export(data)} measures it on the test split once, and exports it."


def _refit(data: TrialData) -> str:
    return f"{_export(data, refit=True)} trains the best configuration on training and validation images together."


RULES: tuple[Callable[[TrialData], str], ...] = (
    _running,
    _unfinished,
    _failures,
    _last_epoch,
    _range_end,
    _tied,
    _untested,
    _refit,
)


def _export(data: TrialData, refit: bool = False) -> str:
    missing = in_memory(data.study)
    if missing:
        arguments = ", ".join([repr(str(data.study.directory)), *missing])
        return f"tuning.Study({arguments}).export({'refit=True' if refit else ''})"
    return f"keras-cnn export {shlex.quote(str(data.study.directory))}{' --refit' if refit else ''}"


def _again(data: TrialData, name: str, value: int) -> str:
    """The setting of a new search, on the command line or in Python, that also tries the best configuration."""
    if in_memory(data.study):
        return f"tuning.search(..., {name}={value}, start_with=[study])"
    return f"--{name} {value} --start_with {shlex.quote(str(data.study.directory / 'best.json'))}"
