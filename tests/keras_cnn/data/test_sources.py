"""A name leads to its data set, and bad values to one line that says what is allowed."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_cnn.data.sources import load
from keras_cnn.errors import InputError


def test_digits_are_doubled_by_default():
    assert load("digits").facts.shape == (16, 16, 1)
    assert load("digits", image_size=(10, 12)).facts.shape == (10, 12, 1)


def test_digits_are_stretched_to_eight_bits():
    data = load("digits", image_size=(8, 8))
    assert data.facts.shape == (8, 8, 1)
    assert data.facts.classes == tuple("0123456789")
    assert not data.facts.flip_invariant
    parts = [data.train, data.validation, data.load_test()]
    assert sum(len(part) for part in parts) == 1797
    assert {part.images.dtype for part in parts} == {np.dtype(np.uint8)}
    darkest = np.concatenate([part.images.ravel() for part in parts])
    assert (darkest.min(), darkest.max()) == (0, 255)
    assert np.unique(darkest).size == 17  # 0 to 16, each a value of its own


def test_digits_keep_their_labels():
    data, digits = load("digits", image_size=(8, 8)), load_digits()
    known = {
        image.tobytes(): label for image, label in zip(digits.images * 255 / 16, digits.target, strict=True)
    }
    exact = {np.rint(np.frombuffer(key)).astype(np.uint8).tobytes(): label for key, label in known.items()}
    assert all(
        exact[image.tobytes()] == label
        for image, label in zip(data.train.images, data.train.labels, strict=True)
    )


def test_image_size_is_height_and_width():
    data = load("digits", image_size=(6, 12))
    assert data.facts.shape == (6, 12, 1)
    assert data.load_test().images.shape[1:] == (6, 12, 1)


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (5,), (1, 2, 3), 32, "32", (3.0, 4), (True, 4), ()])
def test_bad_sizes_are_refused(size):
    with pytest.raises(
        InputError, match=r"image_size must be two positive whole numbers.*--image_size 96 96"
    ):
        load("digits", image_size=size)


@pytest.mark.parametrize("share", [0, 1, -0.1, 2, float("nan")])
def test_bad_shares_are_refused(share):
    with pytest.raises(InputError, match="validation_split must lie between 0 and 1, not"):
        load("digits", validation_split=share)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(InputError, match="split_seed must be a whole number from 0"):
        load("digits", split_seed=seed)


def test_folder_without_a_path_is_refused():
    with pytest.raises(InputError, match="Give folder:PATH"):
        load("folder:")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./my photos", r"is a folder: give 'folder:./my photos' if .* or 'pairs:./my photos' if"),
        ("my photos", r"is a folder: give 'folder:my photos' if"),
        ("./cells", r"is a folder: give pairs:./cells for its images with masks\.$"),
        ("./photos.zip", "is a file: .*unpack an archive first"),
        ("photos.zip", "is a file: .*unpack an archive first"),
        ("./nix", r"there is no folder './nix'\. Images of your own are folder:PATH"),
        ("~/nix", "there is no folder '~/nix'"),
        ("Folder:cells", r"Did you mean folder:cells\?$"),
        ("pair:my photos", r"Did you mean 'pairs:my photos'\?$"),
    ],
)
def test_a_path_without_its_prefix_says_which_to_give(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    for folder in ("my photos/cat", "cells/image", "cells/label"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "photos.zip").touch()
    with pytest.raises(InputError, match=message):
        load(name)


@pytest.mark.parametrize("prefix", ["folder", "pairs"])
def test_an_archive_has_to_be_unpacked(tmp_path, prefix):
    (tmp_path / "photos.zip").touch()
    with pytest.raises(InputError, match=rf"is a file: unpack an archive first\. Give {prefix}:PATH, with"):
        load(f"{prefix}:{tmp_path}/photos.zip")


def test_a_folder_named_as_a_known_data_set_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "nowhere"))
    (tmp_path / "mnist").mkdir()
    with pytest.raises(InputError, match=r"'mnist' is not in .*--download"):
        load("mnist")


def test_importing_the_sources_imports_no_heavy_package():
    code = "import sys, keras_cnn.data.sources, keras_cnn.data.decode; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"tensorflow", "tensorflow_datasets", "sklearn", "PIL", "rich"} & set(loaded)
