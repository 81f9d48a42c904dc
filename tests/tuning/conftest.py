"""Searches over a space small enough to train in seconds, on the embedded digits."""

import subprocess
from pathlib import Path

import pytest

# a net of a few hundred weights on the smallest images, and half of the usual space
SMALL = [
    *(
        "--image_size",
        "8",
        "8",
        "--options.width",
        "2",
        "--options.blocks",
        "1",
        "--options.convolutions",
        "1",
    ),
    *(
        "--options.dense",
        "[]",
        "--batch_size",
        "128",
        "--normalization",
        "zero_one",
        "--augmentation",
        "none",
    ),
]


@pytest.fixture(scope="session")
def tuning(tuning):
    """The program, with the options that make a search of seconds as `small`."""
    tuning.small = SMALL
    return tuning


@pytest.fixture(scope="session")
def finished(tuning, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """A finished Hyperband study over two logical devices: (its directory, what the command said)."""
    folder = tmp_path_factory.mktemp("search")
    run = tuning("search", *SMALL, "--epochs", 3, "--devices", 2, "--directory", "study", folder=folder)
    return folder / "study", run
