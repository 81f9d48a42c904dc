"""Searches over a space small enough to train in seconds, on the embedded digits."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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


class Tuning:
    """`python -m tuning` in a folder, as a user runs it. `small` makes a search of seconds."""

    small = SMALL

    def start(self, *arguments: object, folder: Path) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "tuning", *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # a shell that starts the suite in the background has SIGINT ignored, and children inherit that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def __call__(self, *arguments: object, folder: Path) -> subprocess.CompletedProcess:
        process = self.start(*arguments, folder=folder)
        output, errors = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


@pytest.fixture(scope="session")
def tuning() -> Tuning:
    return Tuning()


@pytest.fixture(scope="session")
def finished(tuning, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """A finished Hyperband study over two logical devices: (its directory, what the command said)."""
    folder = tmp_path_factory.mktemp("search")
    run = tuning("search", *SMALL, "--epochs", 3, "--devices", 2, "--directory", "study", folder=folder)
    return folder / "study", run
