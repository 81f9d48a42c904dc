"""`python -m keras_cnn train`, killed and resumed, as a user runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_cnn.files import read_json

ROOT = Path(__file__).parents[3]
OPTIONS = [
    "--options.width",
    "4",
    "--options.blocks",
    "2",
    "--dropout",
    "0.2",
    "--augmentation",
    "crop",
    "--epochs",
    "8",
]


def start(*arguments: str, folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "keras_cnn", "train", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell that starts the suite in the background has SIGINT ignored, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=200)
    return process.returncode, output, errors


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A run that was never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    code, output, errors = finish(start(*OPTIONS, "--directory", "run", folder=folder))
    assert code == 0 and errors == "", errors
    assert "epoch   8/8" in output and "tensorboard --logdir run/logs" in output
    return folder / "run"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_resumed_after_a_kill_the_weights_are_those_of_an_uninterrupted_run(whole, tmp_path, how):
    process = start(*OPTIONS, "--directory", "run", folder=tmp_path)
    for line in process.stdout:
        if line.startswith("epoch   2/8"):
            break
    process.send_signal(how)
    code, output, errors = finish(process)
    if how == signal.SIGINT:
        assert (code, errors) == (2, "error: interrupted.\n")
        assert "python -m keras_cnn train --resume run" in output
    code, output, errors = finish(start("--resume", "run", folder=tmp_path))
    assert code == 0, errors
    assert "epoch   1/8" not in output and "epoch   8/8" in output
    for name in ("best.npz", "checkpoint.npz"):
        with np.load(whole / name) as expected, np.load(tmp_path / "run" / name) as found:
            for array in expected.files:
                np.testing.assert_array_equal(expected[array], found[array], err_msg=array)
    assert read_json(tmp_path / "run/test.json") == read_json(whole / "test.json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "run"], "has finished all its 8 epochs"),
        (["--resume", "run", "--epochs", "9"], "keeps its settings"),
        (["--resume", "nowhere"], "nowhere is not a run"),
        (["--directory", "run"], "train --resume run"),
    ],
)
def test_what_cannot_be_resumed(whole, arguments, message):
    code, _, errors = finish(start(*arguments, folder=whole.parent))
    assert code == 2
    assert errors.startswith("error: ") and errors.count("\n") == 1
    assert message in errors


def test_another_number_of_devices_is_refused(whole, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text((whole / "run.json").read_text())
    code, _, errors = finish(start("--resume", "run", "--devices", "2", folder=tmp_path))
    assert code == 2 and "Give --devices 1" in errors


def test_the_run_tells_what_it_was_made_with(whole):
    record = read_json(whole / "run.json")
    assert record["settings"]["dropout"] == 0.2
    assert {"tensorflow", "keras", "numpy"} <= record["provenance"]["packages"].keys()
