"""Damaged files of a study: put aside with their names told, and the search goes on to the scores it had."""

import shutil

import numpy as np
import pytest

from keras_cnn.files import read_json, write_json
from tests.tuning_studies import assert_same
from tuning.config import read_study
from tuning.oracles.make import make_oracle
from tuning.reporting.status import status
from tuning.storage.lock import coordinating
from tuning.storage.recovery import repair_damaged_files

OF_A_TRIAL = ("trial.json", "run.json", "metrics.json", "best.npz", "checkpoint.npz")


@pytest.fixture
def study(searched, tmp_path):
    """The directory of a finished search of four trials, with the files that their runs leave."""
    searched(trials=4)
    for trial in (tmp_path / "study/trials").iterdir():
        write_json(trial / "run.json", {"settings": {}})
        for name in ("best.npz", "checkpoint.npz"):
            np.savez(trial / name, weights=np.arange(300))
    write_json(tmp_path / "study/trials/0003/test.json", {"accuracy": 0.5})
    return tmp_path / "study"


def states(study) -> list[str]:
    return [trial.status for trial in make_oracle(read_study(study)).trials.values()]


def test_a_whole_study_needs_nothing(study):
    assert repair_damaged_files(read_study(study)) == []
    assert states(study) == ["COMPLETED"] * 4


@pytest.mark.parametrize("damage", ["cut", "emptied", "overwritten"])
@pytest.mark.parametrize("name", OF_A_TRIAL)
def test_a_damaged_file_of_a_trial_costs_that_trial_a_run(name, damage, study):
    path = study / "trials/0002" / name
    content = path.read_bytes()
    path.write_bytes(
        {"cut": content[: len(content) // 2], "emptied": b"", "overwritten": b"\xff" * 500}[damage]
    )
    (note,) = repair_damaged_files(read_study(study))
    assert f"{path} was damaged and is now {study}/quarantine/trials/0002/{name}" in note
    assert not path.exists() and (study / "quarantine/trials/0002" / name).exists()
    assert states(study) == ["COMPLETED", "COMPLETED", "RUNNING", "COMPLETED"]
    assert (study / "trials/0002/checkpoint.npz").exists() == (not name.endswith("npz"))
    assert repair_damaged_files(read_study(study)) == []


@pytest.mark.parametrize("name", ["study.json", "study.copy.json"])
def test_the_study_itself_has_a_copy(name, study):
    before = read_study(study)
    (study / name).write_text('{"search": {"tuner": "ran')
    (note,) = repair_damaged_files(read_study(study))
    assert name in note and "its copy" in note
    assert read_study(study) == before


def test_what_kerastuner_keeps_of_a_trial_follows_from_our_own(study):
    path = study / "keras_tuner/trial_0001/trial.json"
    values = read_json(path)["hyperparameters"]["values"]
    path.write_text("")
    (note,) = repair_damaged_files(read_study(study))
    assert "written anew from the trial's own" in note
    assert read_json(path)["hyperparameters"]["values"] == values
    assert states(study)[1] == "RUNNING"  # its metrics.json is there: it will be told, not trained
    (study / "keras_tuner/oracle.json").write_text("")
    assert len(states(study)) == 4  # never read


def test_a_damaged_measurement_is_made_anew_by_the_export(study):
    path = next(study.glob("trials/*/test.json"))
    path.write_text("")
    (note,) = repair_damaged_files(read_study(study))
    assert "export measures anew" in note and not path.exists()
    assert states(study) == ["COMPLETED"] * 4


def test_status_with_a_damaged_table_of_epochs_still_answers(study):
    (study / "trials/0003/metrics.json").unlink()
    for content in (
        b"\xff\xfe",
        b"epoch,acc\n1,2\n",
        b"epoch,val_accuracy\n1",
        b"epoch,val_accuracy\n1,0.5\n",
    ):
        (study / "trials/0003/epochs.csv").write_bytes(content)
        with coordinating(study):
            (row,) = status(read_study(study)).rows
    assert row.value == 0.5


def test_a_failed_trial_stays_failed(study):
    trial = study / "keras_tuner/trial_0003/trial.json"
    trial.write_text(trial.read_text().replace('"COMPLETED"', '"FAILED"'))
    metrics = study / "trials/0003/metrics.json"
    metrics.write_text(metrics.read_text().replace('"COMPLETED"', '"DIVERGED"'))
    (study / "trials/0003/best.npz").write_bytes(b"")
    assert len(repair_damaged_files(read_study(study))) == 1
    assert states(study)[3] == "FAILED"


def test_mend_of_a_trial_without_any_file_drops_it(study):
    (study / "keras_tuner/trial_0003/trial.json").write_text("")
    (study / "trials/0003/trial.json").write_text("")
    notes = repair_damaged_files(read_study(study))
    assert any("the trial is lost" in note for note in notes)
    oracle = make_oracle(read_study(study))
    assert list(oracle.trials) == ["0000", "0001", "0002"]
    assert oracle.create_trial("t").status == "RUNNING"


@pytest.mark.slow
def test_search_resumed_after_damage_ends_with_the_same_scores(whole, tuning, tmp_path):
    study = shutil.copytree(whole / "study", tmp_path / "study")
    assert repair_damaged_files(read_study(study)) == []
    for path in (
        "study.json",
        "keras_tuner/oracle.json",
        "keras_tuner/trial_0000/trial.json",
        "trials/0001/metrics.json",
        "trials/0002/best.npz",
    ):
        (study / path).write_bytes((study / path).read_bytes()[:40])
    resumed = tuning("resume", "study", folder=study.parent)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.count("was damaged and is now study/quarantine/") == 4
    assert_same(study.parent, whole)
