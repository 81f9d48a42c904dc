"""`keras-cnn train`, killed and resumed, as a user runs it."""

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from keras_cnn import cli
from keras_cnn.records import read_json
from tests.page_browser import CHROMIUM, NARROW, is_scrolled_sideways, opened, small_labels

pytestmark = pytest.mark.slow  # `test_train` resumes in one process
OPTIONS = [
    "--options.width", "4", "--options.blocks", "1", "--options.convolutions", "1", "--options.dense", "[]",
    "--batch_size", "64", "--dropout", "0.2", "--augmentation", "crop", "--epochs", "6",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(keras_cnn, made_once) -> Path:
    """A run that was never stopped."""

    def make(folder: Path) -> None:
        run = keras_cnn("train", *OPTIONS, "--directory", "run", folder=folder)
        assert run.returncode == 0 and run.stderr == "", run.stderr
        assert "epoch   6/6" in run.stdout and "tensorboard --logdir run/logs" in run.stdout

    return made_once("run", make) / "run"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_run_killed_and_resumed_has_the_weights_of_an_uninterrupted_one(keras_cnn, whole, tmp_path, how):
    process = keras_cnn.start("train", *OPTIONS, "--directory", "run", folder=tmp_path)
    for line in process.stdout:
        if line.startswith("epoch   2/6"):
            break
    process.send_signal(how)
    output, errors = process.communicate(timeout=200)
    if how == signal.SIGINT:
        assert (process.returncode, errors) == (2, "error: interrupted.\n")
        assert "keras-cnn train --resume run" in output
        assert (tmp_path / "run/checkpoint.npz").exists()  # from which the other case goes on
        return
    run = keras_cnn("train", "--resume", "run", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "epoch   1/6" not in run.stdout and "epoch   6/6" in run.stdout
    for name in ("best.npz", "checkpoint.npz"):
        with np.load(whole / name) as expected, np.load(tmp_path / "run" / name) as found:
            for array in expected.files:
                np.testing.assert_array_equal(expected[array], found[array], err_msg=array)
    assert read_json(tmp_path / "run/test.json") == read_json(whole / "test.json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "run"], "has finished all its 6 epochs"),
        (["--resume", "run", "--epochs", "9", "--dropout", "0.5"], "keeps its settings"),
        (["--resume", "run", "--epochs", "3"], "must be more than the 6"),
        (["--resume", "nowhere"], "nowhere does not exist"),
        (["--directory", "run"], "run already contains a run.json"),
    ],
)
def test_resume_of_what_cannot_go_on_is_refused(whole, arguments, message, monkeypatch, capsys):
    monkeypatch.chdir(whole.parent)
    assert cli.main(["train", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert message in error


def test_resume_on_another_number_of_devices_is_refused(whole, tmp_path, monkeypatch, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text((whole / "run.json").read_text())
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", "--resume", "run", "--devices", "2"]) == 2
    assert "Give --devices 1" in capsys.readouterr().err


def test_run_records_its_settings_and_packages(whole):
    record = read_json(whole / "run.json")
    assert record["settings"]["dropout"] == 0.2
    assert {"tensorflow", "keras", "numpy"} <= record["provenance"]["packages"].keys()


def test_report_of_a_run_is_written_anew_and_drawn_by_a_browser(whole, tmp_path, monkeypatch, capsys):
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run/report.html").unlink()
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", "run"]) == 0
    assert "report: run/report.html" in capsys.readouterr().out
    if not CHROMIUM:
        pytest.skip("no Chromium: apt-get install chromium")
    for width in (1400, NARROW):
        with opened(tmp_path / "run/report.html", width, dark=width == NARROW) as page:
            assert page.locator(".plot .main-svg").count() > 0
            assert small_labels(page) == [] and not is_scrolled_sideways(page)
            loaded = "[...document.images].every(image => image.complete && image.naturalWidth > 0)"
            assert page.evaluate(loaded) and page.evaluate("document.images.length") >= 24
