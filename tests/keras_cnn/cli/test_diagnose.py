"""The commands `diagnose` and `repair`, run as a user runs them."""

import json

import pytest

from keras_cnn import cli

OURS = ["--architecture", "mlp", "--options.dense", "[16]", "--optimizer", "adam", "--batch_norm", "false"]
NET = """
import keras
from tests.untrainable_nets import digits, net

def untrainable():
    return net(initializer="zeros"), digits()

def without_data():
    return keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
                             keras.layers.Dense(10, activation="softmax")])

def not_a_model():
    return 7
"""


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """The current directory, with a module nets.py."""
    (tmp_path / "nets.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.slow
def test_diagnose_existing_directory_is_rejected(nets, capsys):
    assert cli.main(["diagnose", *OURS, "--directory", "out"]) == 0
    assert capsys.readouterr().out.startswith("verdict: healthy")
    assert json.loads((nets / "out/diagnosis.json").read_text())["verdict"] == "healthy"
    assert cli.main(["diagnose", *OURS, "--directory", "out"]) == 2
    assert "already contains" in capsys.readouterr().err


@pytest.mark.slow
def test_repair_function_with_data_succeeds(nets, capsys):
    import keras

    assert cli.main(["repair", "nets:untrainable", "--budget", "60", "--directory", "out"]) == 0
    output = capsys.readouterr().out
    assert "Repaired by initialization, at a learning rate of" in output and "In your code:" in output
    record = json.loads((nets / "out/repair.json").read_text())
    assert record["succeeded"] and record["after"]["loss"] < record["before"]["loss"]
    assert keras.saving.load_model(nets / "out/repaired.keras").output_shape == (None, 10)


def test_diagnose_saved_model_prints_json(nets, capsys):
    import nets as module

    module.without_data().save(nets / "model.keras")
    assert cli.main(["diagnose", "model.keras", "--json", "--directory", "out"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "healthy"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diagnose", "missing.keras"], "there is no 'missing.keras'"),
        (["diagnose", "unknown"], "neither a .keras file"),
        (["diagnose", "no_such_module:net"], "cannot be imported"),
        (["repair", "--budget", "1"], "at least 10"),
    ],
)
def test_diagnose_wrong_arguments_print_one_line(complain, arguments, message):
    assert message in complain(cli, *arguments)


def test_diagnose_function_returning_no_model_is_rejected(nets, capsys):
    assert cli.main(["diagnose", "nets:not_a_model"]) == 2
    assert "returned a int" in capsys.readouterr().err


@pytest.mark.slow
def test_diagnose_run_directory_is_healthy(nets, capsys):
    assert cli.main(["train", *OURS, "--epochs", "1", "--devices", "2", "--directory", "run"]) == 0
    assert cli.main(["diagnose", "run", "--directory", "out"]) == 0
    assert "verdict: healthy" in capsys.readouterr().out


@pytest.mark.slow
def test_diagnose_masks_uses_windows(nets, pairs, capsys):
    small = ["--architecture", "unet", "--options.depth", "2", "--options.width", "4", "--batch_size", "4"]
    cropped = ["--data", f"pairs:{pairs}", *small, "--crop_size", "16", "16"]
    assert cli.main(["diagnose", *cropped, "--json", "--directory", "out"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["verdict"] == "healthy" and record["images"] == 24 * 4  # windows that cover 24x32
    assert cli.main(["diagnose", *cropped[:-2], "100", "100", "--directory", "large"]) == 2
    assert "smaller than" in capsys.readouterr().err
