"""Runs and studies of older file formats still open; those in tests/formats were written by older versions."""

import json
import shutil
from pathlib import Path

import pytest

from keras_cnn.errors import InputError
from keras_cnn.training.run_directory import read_run
from tuning.config import read_study

FORMATS = Path(__file__).parent / "formats"


@pytest.fixture
def version_1(tmp_path) -> Path:
    """A folder with a run and a study of two trials of format version 1."""
    shutil.copytree(FORMATS / "version_1", tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_run_of_version_1_is_read_with_new_names(version_1):
    run = read_run(version_1 / "run")
    assert run.settings.augmentation == "color+flip"
    assert run.facts.flip_invariant is False


def test_file_of_a_newer_version_is_refused(version_1):
    path = version_1 / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 99}))
    with pytest.raises(InputError, match="format version 99"):
        read_run(version_1 / "run")


def test_study_of_version_1_is_written_anew_as_version_3(version_1):
    study = read_study(version_1 / "study")
    study.write()
    assert json.loads((version_1 / "study" / "study.json").read_text())["format_version"] == 3
    assert read_study(version_1 / "study") == study


@pytest.mark.slow
def test_study_of_version_1_reports_resumes_and_exports(version_1, keras_cnn):
    def run(*words) -> str:
        result = keras_cnn(*words, folder=version_1)
        assert result.returncode == 0, result.stderr
        return result.stdout

    trials = [version_1 / "study/trials" / number for number in ("0000", "0001")]
    scores = [json.loads((trial / "metrics.json").read_text())["score"] for trial in trials]
    assert all(f"{score:.4f}" in run("report", "study") for score in scores)
    assert "all 3 trials are done" in run("resume", "study", "--trials", 3, "--workers", 1)
    assert "SavedModel: saved_models/run/1" in run("export", "run")
