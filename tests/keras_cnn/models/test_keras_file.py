"""A .keras file is loaded as it was saved; what would take the machine's time or memory is refused before."""

import json
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from keras_cnn.models.keras_file import load_keras_file
from tests.small_nets import spec_of

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


@pytest.fixture(scope="module")
def model() -> keras.Model:
    inner = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dropout(0.5)])
    net = keras.Sequential([keras.Input((16, 16, 1)), inner, keras.layers.Dense(10)])
    net.compile("adam", "mse")
    return net


@pytest.fixture
def saved(model, tmp_path) -> Path:
    model.save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def rewrite(path: Path, name: str, content: bytes) -> Path:
    """The archive, compressed, with other content of one of its files."""
    with zipfile.ZipFile(path) as archive:
        contents = {entry: archive.read(entry) for entry in archive.namelist()} | {name: content}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, value in contents.items():
            archive.writestr(entry, value)
    return path


def change_config(path: Path, old: str, new: str) -> Path:
    with zipfile.ZipFile(path) as archive:
        config = archive.read(CONFIG).decode()
    assert old in config
    return rewrite(path, CONFIG, config.replace(old, new).encode())


def refusal(path: Path) -> str:
    """The message, of one line and at once."""
    started = time.monotonic()
    with pytest.raises(InputError) as error:
        load_keras_file(path)
    assert time.monotonic() - started < 10 and "\n" not in str(error.value)
    return str(error.value)


def test_saved_model_gives_equal_outputs_and_keeps_its_optimizer(model, saved):
    images = np.random.default_rng(0).uniform(size=(3, 16, 16, 1))
    loaded = load_keras_file(saved)
    np.testing.assert_array_equal(loaded(images), model(images))
    assert isinstance(loaded.optimizer, keras.optimizers.Adam)


@pytest.mark.parametrize("name", ["vgg", "convnext", "unet"])
def test_saved_architecture_gives_equal_weights(name, tmp_path):
    net = build_model(spec_of(name, dropout=0.1, normalization="per_image"))
    net.save(tmp_path / "net.keras")
    loaded = load_keras_file(tmp_path / "net.keras")
    for weight, expected in zip(loaded.get_weights(), net.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_config_of_more_weights_than_are_stored_is_refused(saved):
    message = refusal(change_config(saved, '"units": 10', '"units": 1000000000'))
    assert "describes 257,000,000,000 weights" in message and "MODULE:FUNCTION" in message


def test_archive_that_unpacks_to_far_more_than_its_size_is_refused(saved):
    message = refusal(rewrite(saved, WEIGHTS, bytes(150_000_000)))
    assert "unpacks to 150 MB; at most 100 MB are unpacked" in message


def test_config_that_is_too_large_or_too_deep_is_refused(saved):
    assert "of 5 MB; at most 4 MB are read" in refusal(rewrite(saved, CONFIG, b" " * 5_000_000))
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    assert "nested too deeply" in refusal(rewrite(saved, CONFIG, deep))


@pytest.mark.parametrize(
    "config",
    [b"", b"[1]", b"{}", b"\xff", json.dumps({"module": "keras", "class_name": "Sequential"}).encode()],
)
def test_config_that_is_no_model_is_refused(saved, config):
    assert "cannot be loaded: " in refusal(rewrite(saved, CONFIG, config))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"units": 10', '"units": -10', "units"),
        ('"units": 10', '"units": "ten"', "units"),
        ('"class_name": "Dropout"', '"class_name": "Dropin"', "Dropin"),
    ],
)
def test_damaged_layer_is_refused_with_its_reason(saved, old, new, message):
    assert message in refusal(change_config(saved, old, new))


def test_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "text.keras").write_text("no archive")
    assert "not a zip file" in refusal(tmp_path / "text.keras")
