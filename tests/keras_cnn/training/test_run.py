"""`keras-cnn train`, killed and resumed, as a user runs it."""

import signal
from pathlib import Path

import numpy as np
import pytest

from keras_cnn import cli
from keras_cnn.files import read_json

OPTIONS = [
    *("--batch_size", "64"),
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


@pytest.fixture(scope="module")
def whole(keras_cnn, tmp_path_factory) -> Path:
    """A run that was never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    run = keras_cnn("train", *OPTIONS, "--directory", "run", folder=folder)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    assert "epoch   8/8" in run.stdout and "tensorboard --logdir run/logs" in run.stdout
    return folder / "run"


@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_resumed_after_a_kill_the_weights_are_those_of_an_uninterrupted_run(keras_cnn, whole, tmp_path, how):
    process = keras_cnn.start("train", *OPTIONS, "--directory", "run", folder=tmp_path)
    for line in process.stdout:
        if line.startswith("epoch   2/8"):
            break
    process.send_signal(how)
    output, errors = process.communicate(timeout=200)
    if how == signal.SIGINT:
        assert (process.returncode, errors) == (2, "error: interrupted.\n")
        assert "keras-cnn train --resume run" in output
    run = keras_cnn("train", "--resume", "run", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "epoch   1/8" not in run.stdout and "epoch   8/8" in run.stdout
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
def test_what_cannot_be_resumed(whole, arguments, message, monkeypatch, capsys):
    monkeypatch.chdir(whole.parent)
    assert cli.main(["train", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert message in error


def test_another_number_of_devices_is_refused(keras_cnn, whole, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text((whole / "run.json").read_text())
    run = keras_cnn("train", "--resume", "run", "--devices", "2", folder=tmp_path)
    assert run.returncode == 2 and "Give --devices 1" in run.stderr


def test_the_run_tells_what_it_was_made_with(whole):
    record = read_json(whole / "run.json")
    assert record["settings"]["dropout"] == 0.2
    assert {"tensorflow", "keras", "numpy"} <= record["provenance"]["packages"].keys()
