"""Images that do not fit into memory lie on disk, and are the same."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_cnn.data import array_store
from keras_cnn.data.sources import load


@pytest.fixture
def no_memory(monkeypatch):
    monkeypatch.setattr(array_store, "free_memory", lambda: 100.0)


def test_small_arrays_stay_in_memory(no_memory):
    assert not isinstance(array_store.empty((5, 10)), np.memmap)
    assert isinstance(array_store.empty((6, 10)), np.memmap)


def test_empty_on_a_full_disk_fails_before_writing(no_memory, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        array_store.empty((1000,))


@pytest.mark.parametrize("chunk", [1, 100, 1 << 20])
def test_take_equals_array_indexing(no_memory, monkeypatch, chunk):
    monkeypatch.setattr(array_store, "CHUNK", chunk)
    images = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 1), np.uint8)
    rows = np.array([3, 0, 19, 7, 7])
    np.testing.assert_array_equal(array_store.take(images, rows), images[rows])
    assert array_store.take(images, np.arange(20)) is images


def test_free_memory_is_a_part_of_what_the_machine_has():
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < array_store.free_memory() <= pages


def test_a_folder_on_disk_equals_one_in_memory(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    for index in range(40):
        path = tmp_path / "photos" / f"class{index % 2}" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8)).save(path)
    (tmp_path / "photos" / "class0" / "broken.png").write_bytes(
        (tmp_path / "photos" / "class0" / "0.png").read_bytes()[:-60]
    )
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    in_memory = load(f"folder:{tmp_path / 'photos'}")
    monkeypatch.setattr(array_store, "free_memory", lambda: 100.0)
    on_disk = load(f"folder:{tmp_path / 'photos'}")
    assert in_memory.facts == on_disk.facts
    for part, expected in zip(
        (on_disk.train, on_disk.validation, on_disk.load_test()),
        (in_memory.train, in_memory.validation, in_memory.load_test()),
        strict=True,
    ):
        assert isinstance(part.images, np.memmap) and not isinstance(expected.images, np.memmap)
        np.testing.assert_array_equal(part.images, expected.images)
    assert [path.name for path in Path(tmp_path).iterdir()] == ["photos"]  # no file is left, or even named
