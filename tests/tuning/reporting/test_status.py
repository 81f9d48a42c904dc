"""One coordinator a study, and how far it is."""

import os
import signal
import subprocess
import sys

import pytest

from keras_cnn.directories import held, owner
from keras_cnn.errors import InputError
from keras_cnn.files import write_json
from tuning import cli
from tuning.config import read_study
from tuning.oracles.make import make_oracle
from tuning.reporting.live import line, summary
from tuning.reporting.status import status


def test_a_second_coordinator_is_refused(tmp_path):
    assert owner(tmp_path) is None
    with held(tmp_path):
        assert owner(tmp_path) == str(os.getpid())
        with pytest.raises(InputError, match=f"is in use by process {os.getpid()}"):
            held(tmp_path).__enter__()
    assert owner(tmp_path) is None


def test_a_killed_one_holds_nothing(tmp_path):
    code = "import sys, time, pathlib; from keras_cnn.directories import held\n"
    code += "with held(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    assert owner(tmp_path) == str(holder.pid)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert owner(tmp_path) is None
    with held(tmp_path):
        pass


def test_the_status_of_a_search_that_runs_was_killed_or_has_ended(tmp_path, searched, capsys):
    searched(trials=3)
    study = read_study(tmp_path / "study")
    view = status(study)
    assert view.title == f"random search of vgg on digits: not running; keras-cnn resume {study.directory}"
    assert summary(view) == "trials: 3 COMPLETED · best: trial 0002, val_accuracy 0.3000 · 3 min · 0.0 GB"
    assert not view.rows
    searched(trials=4, target=0.01)  # no trial begins, but a fourth may
    study = read_study(tmp_path / "study")
    trial = make_oracle(study).create_trial("coordinator")
    directory = study.trial_directory(trial.trial_id)
    directory.mkdir(parents=True)
    with held(study.directory):
        assert f"on digits: process {os.getpid()}" in status(study).title
        assert cli.main(["resume", str(study.directory), "--trials", "9"]) == 2
        assert "in use" in capsys.readouterr().err and read_study(study.directory).search.trials == 4
        assert status(study).states == {"COMPLETED": 3, "RUNNING": 1}
        assert status(study).memory > 10**8
        (row,) = status(study).rows
        assert (row.trial, row.epoch, row.epochs, row.value) == (trial.trial_id, 0, 2, None)
        write_json(directory / "trial.json", {"stop_epoch": 2, "settings": study.base.to_dict()})
        (directory / "epochs.csv").write_text("epoch,val_accuracy\n1,0.625\n2,0.5\n")
        (row,) = status(study).rows
        assert (row.epoch, row.value, row.best) == (2, 0.5, 0.625)
        assert line(status(study)).startswith(
            f"trial {trial.trial_id}: epoch 2/2, val_accuracy 0.5000; trials: 3"
        )
    assert cli.main(["status", str(study.directory)]) == 0
    assert "1 INTERRUPTED" in capsys.readouterr().out


def test_status_without_a_study_is_refused(complain):
    assert "nowhere does not exist" in complain(cli, "status", "nowhere")
