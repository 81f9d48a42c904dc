"""Bad input on either command line: one clear line, exit code 2, nothing written."""

import subprocess
import sys
import time

import pytest

import keras_cnn.cli
import tuning.cli
from tests.tuning_studies import SMALL

pytestmark = pytest.mark.usefixtures("without_workers")
SEARCH, TRAIN = "search", "train"


BOTH = [
    (["--data", "cifra10"], "Did you mean 'cifar10'"),
    (["--data", "cifar10"], "--download"),
    (["--data", "folder:nowhere"], "nowhere"),
    (["--architecture", "vgg17"], "unknown architecture 'vgg17'. Did you mean"),
    (["--activation", "rleu"], "Did you mean 'relu'"),
    (["--kernel_initializer", "he_norml"], "Did you mean 'he_normal'"),
    (["--normalization", "zscore"], "per_image"),
    (["--optimizer", "adamm"], "Did you mean 'adam'"),
    (["--optimizer", "adamW"], "Did you mean 'adamw'"),
    (["--optimizer", "ADAM"], "Did you mean 'adam'"),
    (["--augmentation", "flip+croop"], "Did you mean 'crop'"),
    (["--options.block", "3"], "Did you mean 'blocks'"),
    (["--epochs", "many"], "Expected int"),
    (["--epochs", "0"], "at least 1"),
    (["--architecure", "vgg"], "Did you mean --architecture?"),
    (["--Epochs", "3"], "Did you mean --epochs?"),
    (["--optons.width", "4"], "Did you mean --options.width?"),
    (["--lr", "0.1"], "Did you mean --learning_rate?"),
    (["--lr=0.1"], "Did you mean --learning_rate?"),
    (["--bs", "8"], "Did you mean --batch_size?"),
    (["--model", "vgg"], "Did you mean --architecture?"),
    (["stray"], "--help"),
    (["--config", "none.yaml"], "none.yaml"),
    (["--image_size", "0", "4"], "image_size"),
    (["--validation_split", "1.5"], "validation_split"),
    (["--architecture", "lenet5", "--weights", "w.h5"], "no weights for lenet5"),
    (["--architecture", "vgg16", "--weights", "w.h5"], "there is no 'w.h5'"),
    (["--freeze", "head"], "unknown freeze 'head'"),
    (["--class_weight", "some"], "class_weight='some'"),
    (["--threads", "0"], "threads=0 must be at least 1"),
]


@pytest.mark.parametrize(("arguments", "message"), BOTH)
def test_train_and_search_with_a_bad_option_are_refused(complain, arguments, message):
    assert message in complain(keras_cnn.cli, TRAIN, *arguments)
    assert message in complain(tuning.cli, SEARCH, *arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([SEARCH, "--tuner", "hyberband"], "Did you mean 'hyperband'"),
        ([SEARCH, "--trials", "0"], "trials=0"),
        ([SEARCH, "--folds", "1"], "folds=1 must be at least 2"),
        ([SEARCH, "--folds", "3", "--repeats", "2"], "folds=3 train each point 3 times already"),
        ([SEARCH, "--tuner", "random", "--folds", "3", "--pruner", "asha"], "leave --pruner out, or --folds"),
        ([SEARCH, "--folds", "2000"], "folds=2000 are more than the"),
        (
            [SEARCH, "--folds", "2", "--batch_size", "800"],
            "that 2 folds leave to train on: lower --batch_size",
        ),
        ([SEARCH, "--max_latency_ms", "0"], "max_latency_ms=0.0 must be more than 0"),
        ([SEARCH, "--max_parameters", "0"], "max_parameters=0 must be at least 1"),
        ([SEARCH, "--tuner", "random", "--min_epochs", "2"], "min_epochs=2 belongs to auto and hyperband"),
        ([SEARCH, "--epochs", "3", "--min_epochs", "4"], "min_epochs=4 must be at most the 3 epochs"),
        ([SEARCH, "--objective", "val_acc"], "unknown objective 'val_acc'. Did you mean 'val_accuracy'?"),
        ([SEARCH, "--objective", "parameters", "val_accuracy"], "objective parameters cannot rank trials"),
        ([SEARCH, "--objective", "val_accuracy", "parametres"], "Did you mean 'parameters'?"),
        ([SEARCH, "--architecture", "vgg16"], "too small for 5 blocks"),
        ([SEARCH, "--batch_size", "5000"], "a batch of 5000 images does not fit the 1295"),
        ([SEARCH, "--options.blocks", "6"], "too small for 6 blocks"),
        (["resume", "nowhere"], "nowhere does not exist"),
        (["report", "nowhere"], "nowhere does not exist"),
        (["export", "nowhere"], "nowhere does not exist"),
        (["export", "nowhere", "--refit"], "nowhere does not exist"),
    ],
)
def test_tuning_command_with_a_bad_option_is_refused(complain, arguments, message):
    assert message in complain(tuning.cli, *arguments)


def test_search_in_a_directory_with_a_study_is_refused(searched, tmp_path, monkeypatch, capsys):
    searched(trials=1)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.chdir(tmp_path)
    assert tuning.cli.main([SEARCH, *SMALL, "--directory", "study"]) == 2
    error = capsys.readouterr().err
    assert "study already contains a study.json" in error and "keras-cnn resume" in error
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("module", ["keras_cnn", "tuning"])
def test_help_imports_no_tensorflow_and_is_fast(module):
    code = f"import sys, {module}.cli\ntry: {module}.cli.main(['--help'])\nexcept SystemExit: pass\n"
    check = "assert not {'tensorflow', 'keras', 'keras_tuner'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code + check], check=True, capture_output=True)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", module, "--help"], check=True, capture_output=True)
    assert time.perf_counter() - started < 3  # 0.25 s on an idle machine


def test_a_printed_config_is_a_config(capsys, monkeypatch, tmp_path):
    with pytest.raises(SystemExit):
        keras_cnn.cli.main([TRAIN, "--epochs", "7", "--options.width", "3", "--print_config"])
    (tmp_path / "run.yaml").write_text(capsys.readouterr().out)
    with pytest.raises(SystemExit):
        keras_cnn.cli.main([TRAIN, "--config", str(tmp_path / "run.yaml"), "--seed", "5", "--print_config"])
    printed = capsys.readouterr().out
    assert "epochs: 7" in printed and "width: 3" in printed and "seed: 5" in printed


def test_unknown_keys_of_a_config_are_errors(complain, tmp_path_factory):
    config = tmp_path_factory.mktemp("config") / "run.yaml"
    config.write_text("epoch: 3\n")
    assert "epoch" in complain(keras_cnn.cli, TRAIN, "--config", str(config))
    config.write_text("lr: 3\n")
    assert "Did you mean --learning_rate?" in complain(keras_cnn.cli, TRAIN, "--config", str(config))
