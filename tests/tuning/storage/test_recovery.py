"""Damaged files of a study: put aside with their names told, and the search goes on to the scores it had."""

import errno
import os
import shutil
import subprocess

import numpy as np
import pytest
from keras_tuner.engine.trial import Trial

from keras_cnn import cli
from keras_cnn.directories import held
from keras_cnn.errors import InputError
from keras_cnn.records import read_record, write_record
from keras_cnn.training.run_directory import Run, parse_run, read_run
from tests.damage import DAMAGE, flip
from tests.tuning_studies import assert_same, digits_facts
from tuning.config import read_study
from tuning.oracles.make import make_oracle
from tuning.reporting.status import status
from tuning.storage.recovery import repair_damaged_files
from tuning.storage.trials import best
from tuning.trial import read_trial

OF_A_TRIAL = ("trial.json", "metrics.json", "best.npz")


@pytest.fixture
def study(searched, tmp_path):
    """The directory of a finished search of four trials, with the files that their runs leave."""
    searched(trials=4)
    facts = digits_facts()
    for trial in (tmp_path / "study/trials").iterdir():
        Run(trial, read_trial(trial).settings, facts).write()
        for name in ("best.npz", "checkpoint.npz"):
            np.savez(trial / name, weights=np.arange(300))
    measured = {"accuracy": 0.5, "accuracy_interval": [0.4, 0.6], "images": 100}
    write_record(tmp_path / "study/trials/0003/test.json", measured)
    return tmp_path / "study"


def states(study) -> list[str]:
    return [trial.status for trial in make_oracle(read_study(study)).trials.values()]


def test_a_whole_study_needs_nothing(study):
    assert repair_damaged_files(read_study(study)) == []
    assert states(study) == ["COMPLETED"] * 4


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", OF_A_TRIAL)
def test_a_damaged_file_of_a_trial_costs_that_trial_a_run(name, damage, study):
    path = study / "trials/0002" / name
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    (note,) = repair_damaged_files(read_study(study))
    assert f"{path} was damaged and is now {study}/quarantine/trials/0002/{name}" in note
    assert not path.exists() and (study / "quarantine/trials/0002" / name).exists()
    assert states(study) == ["COMPLETED", "COMPLETED", "RUNNING", "COMPLETED"]
    assert (study / "trials/0002/checkpoint.npz").exists() == (not name.endswith("npz"))
    assert repair_damaged_files(read_study(study)) == []


def test_lost_weights_of_the_best_trial_cost_it_a_run_and_of_others_nothing(study):
    winner = best(read_study(study))["trial"]
    for trial in (study / "trials").iterdir():
        for name in ("best.npz", "checkpoint.npz"):
            (trial / name).unlink()
    (note,) = repair_damaged_files(read_study(study))
    assert note == f"note: trials/{winner}/best.npz is missing; trial {winner} begins anew."
    assert states(study) == ["RUNNING" if f"{number:04d}" == winner else "COMPLETED" for number in range(4)]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_settings_of_a_run_are_written_again_from_their_copy(damage, study):
    run, path = read_run(study / "trials/0002"), study / "trials/0002/run.json"
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert read_run(study / "trials/0002") == run
    (note,) = repair_damaged_files(read_study(study))
    assert f"{path} was damaged" in note
    assert parse_run(path) == run
    assert states(study) == ["COMPLETED"] * 4


def test_a_damaged_checkpoint_that_nobody_continues_costs_nothing(study):
    """The search is a random one: no trial continues another."""
    path = study / "trials/0002/checkpoint.npz"
    path.write_bytes(flip(path.read_bytes()))
    (note,) = repair_damaged_files(read_study(study))
    assert "trial 0002 has ended" in note
    assert states(study) == ["COMPLETED"] * 4 and (study / "trials/0002/best.npz").exists()


@pytest.mark.parametrize(
    "damage", [pytest.param(name, marks=[pytest.mark.slow] * (name != "cut")) for name in DAMAGE]
)
def test_status_and_report_name_what_is_damaged_and_change_nothing(damage, study, monkeypatch, capsys):
    path = study / "trials/0003/metrics.json"
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    weights = study / "trials/0002/best.npz"
    weights.write_bytes(flip(weights.read_bytes()))
    before = path.read_bytes()
    for command in ("status", "report"):
        assert cli.main([command, str(study)]) == 0
        printed = capsys.readouterr().out
        assert f"{path} is damaged" in printed and f"{weights} is damaged" in printed
    assert "DAMAGED" in printed
    assert path.read_bytes() == before and not (study / "quarantine").exists()
    with pytest.raises(InputError, match=f"keras-cnn resume {study}"):
        best(read_study(study))


def test_status_and_report_need_no_writing(study, monkeypatch, capsys):
    def refuse(*arguments, **more):
        raise OSError(errno.EROFS, "Read-only file system", "study")

    monkeypatch.setattr("keras_cnn.files.write_file", refuse)
    for command in ("status", "report"):
        assert cli.main([command, str(study)]) == 0
        printed = capsys.readouterr().out
    assert "0003" in printed and "the report is this table alone" in printed


@pytest.mark.parametrize("damage", [name for name in DAMAGE if name != "flipped"])
@pytest.mark.parametrize("name", ["study.json", "study.copy.json"])
def test_the_study_itself_has_a_copy(name, damage, study):
    before = read_study(study)
    (study / name).write_bytes(DAMAGE[damage]((study / name).read_bytes()))
    assert read_study(study) == before
    (note,) = repair_damaged_files(read_study(study))
    assert name in note and "its copy" in note
    assert read_study(study) == before


def test_what_kerastuner_keeps_of_a_trial_follows_from_our_own(study):
    path = study / "keras_tuner/trial_0001/trial.json"
    path.write_text("")
    (note,) = repair_damaged_files(read_study(study))
    assert "written anew from the trial's own" in note and not path.exists()
    assert states(study)[1] == "RUNNING"  # its metrics.json is there: it is recorded again, not trained
    (study / "keras_tuner/oracle.json").write_text("")
    assert len(states(study)) == 4  # never read


def test_the_oracle_has_what_kerastuner_wrote_of_its_trials(study):
    for trial in make_oracle(read_study(study)).trials.values():
        written = Trial.load(str(study / f"keras_tuner/trial_{trial.trial_id}/trial.json"))
        assert trial.get_state() == written.get_state()


def test_trials_of_another_search_space_are_not_continued(study):
    for path in (study / "study.json", study / "study.copy.json"):
        record = read_record(path)
        write_record(path, {**record, "fixed_hyperparameters": {"dropout": 0.1}})
    with pytest.raises(InputError, match="does not search \\(dropout\\)"):
        make_oracle(read_study(study))


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
        with held(study):
            (row,) = status(read_study(study)).rows
    assert row.value == 0.5


def test_a_failed_trial_stays_failed(study):
    directory = study / "trials/0003"
    write_record(directory / "metrics.json", {"state": "DIVERGED", "message": "the loss became nan"})
    (study / "trials/0003/best.npz").write_bytes(b"")
    assert len(repair_damaged_files(read_study(study))) == 1
    assert states(study)[3] == "FAILED"


def test_a_trial_of_which_nothing_says_what_it_trained_is_dropped_with_its_weights(study):
    (study / "keras_tuner/trial_0003/trial.json").write_text("")
    (study / "trials/0003/trial.json").write_text("")
    notes = repair_damaged_files(read_study(study))
    assert any("the trial is lost" in note for note in notes)
    assert not (study / "trials/0003").exists() and (study / "quarantine/trials/0003/best.npz").exists()
    oracle = make_oracle(read_study(study))
    assert list(oracle.trials) == ["0000", "0001", "0002"]
    trial = oracle.create_trial("t")
    assert (trial.status, trial.trial_id) == ("RUNNING", "0003")


def test_what_killed_writers_leave_is_deleted(study):
    process = subprocess.Popen(["true"])
    process.wait()
    dead, living = (f".keras-cnn-{number}-best.npz" for number in (process.pid, os.getpid()))
    for name in (dead, living):
        (study / "trials/0001" / name).write_bytes(b"half")
    repair_damaged_files(read_study(study))
    assert not (study / "trials/0001" / dead).exists() and (study / "trials/0001" / living).exists()


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
