"""A search of four trials, and what tests of interruptions compare of it."""

import csv
from pathlib import Path

from benchmarks.crash import epochs_again

SEARCH = ["search", "--tuner", "random", "--trials", 4, "--epochs", 4, "--directory", "study", "--threads", 1]

# what a search is given so that six points are left
ALL_BUT_TWO = {
    "activation": "relu",
    "kernel_initializer": "he_normal",
    "normalization": "zero_one",
    "dropout": 0.0,
    "augmentation": "none",
    "batch_size": 32,
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "weight_decay": 0.0,
    "options.blocks": 2,
    "options.convolutions": 1,
}  # batch_norm and width are left


def rows(folder: Path) -> dict[str, dict]:
    """The rows of trials.csv by the trial."""
    return {row["trial"]: row for row in csv.DictReader((folder / "study/trials.csv").open())}


def assert_same(folder: Path, whole: Path) -> None:
    """Every trial has the values, the score and the best epoch it has without an interruption."""
    found, expected = rows(folder), rows(whole)
    for trial in expected:
        found[trial].pop("seconds"), expected[trial].pop("seconds")
    assert found == expected


def assert_gone_on(folder: Path, whole: Path) -> None:
    """The same, and no epoch that had ended was trained again."""
    assert_same(folder, whole)
    assert epochs_again(folder / "study") == 0
