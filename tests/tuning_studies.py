"""A search of three trials over a small space, and what tests of interruptions compare of it."""

import collections
import csv
import functools
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.sources import load

# a net of a few hundred weights on the smallest images; half of the space is left to the search
SMALL = [
    "--options.width", "2", "--options.blocks", "1", "--options.convolutions", "1", "--options.dense", "[]",
    "--image_size", "8", "8", "--batch_size", "128", "--normalization", "zero_one", "--augmentation", "none",
]  # fmt: skip
SEARCH = ["search", "--tuner", "random", "--trials", 3, "--epochs", 4, "--directory", "study", "--threads", 1]

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


@functools.cache
def digits_facts() -> DataFacts:
    return load("digits").facts


def rows(folder: Path) -> dict[str, dict]:
    """The rows of trials.csv by the trial."""
    return {row["trial"]: row for row in csv.DictReader((folder / "study/trials.csv").open())}


def epochs_again(study: Path) -> int:
    """How many epochs left a loss in TensorBoard's logs for a second time."""
    epochs: collections.Counter = collections.Counter(
        (path.parent, event.step)
        for path in study.glob("logs/*/train/events*")
        for event in EventFileLoader(str(path)).Load()
        if any(value.tag == "epoch_loss" for value in event.summary.value)
    )
    return epochs.total() - len(epochs)


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
