"""keras-cnn diagnose and repair, as a user runs them."""

import json

import pytest

from keras_cnn import cli

OURS = ["--architecture", "mlp", "--options.dense", "[16]", "--optimizer", "adam", "--batch_norm", "false"]
NET = """
import keras
from tests.untrainable_nets import digits, net

def dead():
    return net(initializer="zeros"), digits()

def alone():
    return keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
                             keras.layers.Dense(10, activation="softmax")])

def nothing():
    return 7
"""


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A folder with nets.py, as the current one."""
    (tmp_path / "nets.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_settings_are_diagnosed_and_no_directory_is_written_twice(nets, capsys):
    assert cli.main(["diagnose", *OURS, "--directory", "out"]) == 0
    assert capsys.readouterr().out.startswith("verdict: healthy")
    assert json.loads((nets / "out/diagnosis.json").read_text())["verdict"] == "healthy"
    assert cli.main(["diagnose", *OURS, "--directory", "out"]) == 2
    assert "already holds" in capsys.readouterr().err


def test_a_function_with_its_own_data_is_repaired(nets, capsys):
    import keras

    assert cli.main(["repair", "nets:dead", "--budget", "60", "--directory", "out"]) == 0
    assert "Cured by initialization" in capsys.readouterr().out
    told = json.loads((nets / "out/repair.json").read_text())
    assert told["succeeded"] and told["after"]["loss"] < told["before"]["loss"]
    assert keras.saving.load_model(nets / "out/repaired.keras").output_shape == (None, 10)


def test_a_saved_model_is_diagnosed_and_printed_as_json(nets, capsys):
    import nets as module

    module.alone().save(nets / "alone.keras")
    assert cli.main(["diagnose", "alone.keras", "--json", "--directory", "out"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "healthy"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diagnose", "missing.keras"], "there is no missing.keras"),
        (["diagnose", "what"], "neither a .keras file"),
        (["diagnose", "no_such_module:net"], "cannot be imported"),
        (["repair", "--budget", "1"], "at least 10"),
    ],
)
def test_mistakes_are_reported_in_one_line(complain, arguments, message):
    assert message in complain(cli, *arguments)


def test_what_a_function_gives_is_checked(nets, capsys):
    assert cli.main(["diagnose", "nets:nothing"]) == 2
    assert "gave a int" in capsys.readouterr().err


@pytest.mark.slow
def test_a_trained_run_is_diagnosed(nets, capsys):
    assert cli.main(["train", *OURS, "--epochs", "1", "--devices", "2", "--directory", "run"]) == 0
    assert cli.main(["diagnose", "run", "--directory", "out"]) == 0
    assert "verdict: healthy" in capsys.readouterr().out


@pytest.mark.slow
def test_windows_of_images_with_masks_are_diagnosed(nets, pairs, capsys):
    small = ["--architecture", "unet", "--options.depth", "2", "--options.width", "4", "--batch_size", "4"]
    cropped = ["--data", f"pairs:{pairs}", *small, "--crop_size", "16", "16"]
    assert cli.main(["diagnose", *cropped, "--json", "--directory", "out"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "healthy" and told["images"] == 24 * 4  # windows that cover 24x32
    assert cli.main(["diagnose", *cropped[:-2], "100", "100", "--directory", "large"]) == 2
    assert "smaller than" in capsys.readouterr().err
