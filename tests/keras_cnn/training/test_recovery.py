"""A plain run whose files are damaged continues from what is whole and ends with the weights that it had."""

import dataclasses
import os
import shutil
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from keras_cnn.data.sources import load
from keras_cnn.errors import DamagedFileError, InputError
from keras_cnn.logs import redirected
from keras_cnn.records import read_record
from keras_cnn.training import run as run_module
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.make_model import best_model
from keras_cnn.training.recovery import repair_run
from keras_cnn.training.run import resume_run, train_run
from keras_cnn.training.run_directory import read_metrics, read_run, read_test
from tests.damage import DAMAGE

SETTINGS = TrainSettings(
    image_size=(8, 8),
    options={"width": 2, "blocks": 1, "convolutions": 1, "dense": []},
    batch_size=256,
    epochs=2,
    augmentation="none",
)

FILES = ["run.json", "run.copy.json", "metrics.json", "test.json", "best.npz", "checkpoint.npz"]


@pytest.fixture(scope="module", autouse=True)
def on_one_device(one_device):
    """The suite's own strategy has two, and a process can have only one."""
    with mock.patch.object(run_module, "get_strategy", lambda devices: one_device):
        yield


@pytest.fixture(scope="module")
def whole(on_one_device, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("whole") / "run"
    assert train_run(SETTINGS, directory) == directory
    return directory


@pytest.fixture
def run(whole, tmp_path) -> Path:
    return shutil.copytree(whole, tmp_path / "run")


def resumed(directory: Path, **more) -> str:
    """What `resume_run` logs."""
    lines: list[str] = []
    with redirected(lines.append):
        resume_run(directory, **more)
    return "\n".join(lines)


def assert_same_results(directory: Path, whole: Path) -> None:
    for name in ("best.npz", "checkpoint.npz"):
        with np.load(whole / name) as expected, np.load(directory / name) as found:
            for array in expected.files:
                np.testing.assert_array_equal(expected[array], found[array], err_msg=array)
    assert read_test(directory) == read_test(whole)
    assert read_metrics(directory)["history"] == read_metrics(whole)["history"]


def damage(path: Path, how: str) -> None:
    path.write_bytes(DAMAGE[how](path.read_bytes()))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run.json", "checkpoint.npz"])
def test_run_with_a_flipped_bit_resumes_to_the_same_results(name, run, whole):
    damage(run / name, "flipped")
    if name == "run.json":
        (run / "metrics.json").unlink()  # else there is nothing to resume, and nothing was lost
    assert f"{run / name} was damaged and is now {run / 'quarantine' / name}" in resumed(run)
    assert_same_results(run, whole)


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", FILES)
def test_repair_sets_aside_what_is_damaged_and_what_depends_on_it(name, how, run):
    before, files = read_run(run), set(run.iterdir())
    damage(run / name, how)
    repaired, (note,) = repair_run(run)
    assert repaired == before and f"{run / name} was damaged" in note
    gone = {"test.json", "metrics.json", "best.npz", "checkpoint.npz"} if name.endswith("npz") else {name}
    kept = files - {run / name for name in gone if not name.startswith("run")}
    assert set(run.iterdir()) == kept | {run / "quarantine"}
    assert gone <= {path.name for path in (run / "quarantine").iterdir()}  # what was whole is not lost
    assert repair_run(run) == (before, [])


@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_best_weights_are_refused_in_one_line(how, run):
    damage(run / "best.npz", how)
    content = read_run(run)
    with pytest.raises(DamagedFileError, match=r"best\.npz is damaged .*keras-cnn train --resume") as refused:
        best_model(content.settings, content.facts, run)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_checkpoint_of_another_model_is_set_aside_and_the_run_begins_anew(run, whole):
    for name in ("metrics.json", "test.json"):
        (run / name).unlink()
    np.savez(run / "checkpoint.npz", progress=np.array("{}"), **{"0": np.zeros(3)})
    assert "was damaged" in resumed(run)
    assert_same_results(run, whole)


def test_run_whose_settings_are_lost_is_refused(run):
    for name in ("run.json", "run.copy.json"):
        damage(run / name, "cut")
    with pytest.raises(DamagedFileError, match=r"run\.copy\.json"):
        resume_run(run)


@pytest.mark.slow
def test_run_killed_before_its_test_was_measured_measures_it(run, whole):
    (run / "test.json").unlink()
    resumed(run)
    assert_same_results(run, whole)


@pytest.mark.parametrize("changed", [{"classes": tuple("abcdefghij")}, {"counts": {"train": [1] * 10}}])
def test_resume_on_other_data_is_refused_and_loses_nothing(changed, run, whole):
    data = load("digits", image_size=(8, 8))
    other = dataclasses.replace(data, facts=dataclasses.replace(data.facts, **changed))
    with (
        mock.patch.object(run_module, "load", lambda **arguments: other),
        pytest.raises(InputError, match=r"is not what .* was trained on"),
    ):
        resume_run(run, epochs=3)
    assert_same_results(run, whole)
    assert read_run(run) == dataclasses.replace(read_run(whole), directory=run)


@pytest.mark.slow
@pytest.mark.parametrize("lost", [["best.npz"], ["best.npz", "checkpoint.npz"]])
def test_run_without_its_best_weights_begins_anew(lost, run, whole):
    for name in lost:
        (run / name).unlink()
    assert "best.npz is missing; the run begins anew" in resumed(run)
    assert_same_results(run, whole)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["best.npz", "checkpoint.npz"])
def test_pipe_in_the_place_of_an_archive_is_set_aside(name, run, whole):
    (run / name).unlink()
    os.mkfifo(run / name)
    assert f"{run / name} was damaged" in resumed(run)
    assert_same_results(run, whole)


def test_trial_of_a_search_is_not_trained_by_itself(run, whole):
    (run / "trial.json").write_text("{}")
    with pytest.raises(InputError, match="is a trial of a search"):
        resume_run(run, epochs=3)
    assert_same_results(run, whole)


@pytest.mark.slow
def test_finished_run_is_trained_longer(run, whole):
    with pytest.raises(InputError, match=r"finished all its 2 epochs\. Give --epochs"):
        resume_run(run)
    with pytest.raises(InputError, match="--epochs 1 must be more than the 2"):
        resume_run(run, epochs=1)
    printed = resumed(run, epochs=3)
    assert "epoch   3/3" in printed and "epoch   2/3" not in printed
    history = read_metrics(run)["history"]["loss"]
    assert len(history) == 3 and history[:2] == read_metrics(whole)["history"]["loss"]
    assert read_run(run).settings.epochs == 3
    assert read_record(run / "test.json")["images"] == read_record(whole / "test.json")["images"]


def test_run_on_data_that_have_changed_is_not_resumed(run):
    (run / "metrics.json").unlink()
    before = read_run(run)
    replace(before, facts=replace(before.facts, mean=(9.0,))).write()
    with pytest.raises(InputError, match=r"is not what .* was trained on: other pixels"):
        resume_run(run)
