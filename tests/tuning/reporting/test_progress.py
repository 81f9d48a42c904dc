"""What a person sees of a search: a live table on a terminal, lines elsewhere."""

import io

from rich.console import Console

from tuning.reporting import progress
from tuning.reporting.live import duration
from tuning.reporting.progress import Progress

DONE = {"state": "COMPLETED", "score": 0.9, "best_epoch": 3, "parameters": 1234, "seconds": 5.0}


def test_on_a_terminal_what_runs_is_a_table_and_what_ended_a_line(monkeypatch):
    screen, told = io.StringIO(), []
    console = Console(file=screen, force_terminal=True, width=100)
    with Progress(told.append, "random search", "val_accuracy", console) as seen:
        seen.expect(20, seconds=60)
        seen.begin("0000", 4)
        seen.begin("0001", 9, start=3)
        seen.epoch("0000", 2, 0.5, 1.5)
        seen.epoch("0000", 3, 0.4, 1.5)
        seen.show(workers=2 * 10**9)
    text = screen.getvalue()
    assert "random search" in text
    assert "3/4" in text and "3/9" in text and "0.4000" in text and "0.5000" in text
    assert "none has ended" in text and "60 s" in text and "left" in text
    assert told == []


def test_progress_without_terminal_prints_after_silence(monkeypatch):
    told: list[str] = []
    seen = Progress(told.append, "random search", "val_accuracy", Console(file=io.StringIO()))
    with seen:
        seen.begin("0000", 4)
        seen.epoch("0000", 1, 0.5, 1.5)
        seen.show(0)
        assert told == []
        monkeypatch.setattr(progress, "QUIET_SECONDS", -1)
        seen.show(0)
    assert told[0].startswith("trial 0000: epoch 1/4, val_accuracy 0.5000; trials: none has ended · 0 s")


def test_progress_prints_results_with_the_best_so_far():
    told: list[str] = []
    seen = Progress(told.append, "", "val_accuracy", Console(file=io.StringIO()))
    seen.count("COMPLETED", "0000", 0.95)
    seen.end("0001", DONE, 4)
    seen.end("0002", {"state": "DIVERGED", "message": "the loss became nan\nmore", "seconds": 1.0}, 4)
    seen.end("0003", {**DONE, "score": 0.97, "pruned": "below the median"}, 4)
    assert told == [
        "trial 0001: val_accuracy 0.9000 in epoch 3, 1,234 parameters, 5.0 s  (best: 0.9500, trial 0000)",
        "trial 0002: DIVERGED: the loss became nan",
        "trial 0003: val_accuracy 0.9700 in epoch 3, 1,234 parameters, 5.0 s, ended early: below the median  "
        "(best: 0.9700, trial 0003)",
    ]
    assert seen.view(0).states == {"COMPLETED": 3, "DIVERGED": 1}


def test_the_time_left_follows_from_the_epochs_done(monkeypatch):
    seen = Progress(print, "", "val_accuracy", Console(file=io.StringIO()))
    seen._started -= 10
    seen.expect(50, seconds=0)
    assert seen.view(0).left is None
    seen.begin("0001", 9, start=3)
    seen.epoch("0001", 8, 0.5, 1.0)
    assert 89 < seen.view(0).left < 92  # 5 of 50 epochs in 10 s


def test_duration_is_rounded_to_readable_units():
    assert [duration(s) for s in (None, 7.4, 99, 100, 3600, 7500)] == [
        "",
        "7 s",
        "99 s",
        "2 min",
        "60 min",
        "2 h 05",
    ]
