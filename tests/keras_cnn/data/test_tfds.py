"""Sets of TensorFlow Datasets, written here and read back; nothing may reach for the network."""

import os
import shutil
import socket
import time

import numpy as np
import pytest

from keras_cnn.data.sources import load
from keras_cnn.errors import InputError


def examples(count: int, first: int = 0, size=(4, 5), channels: int = 1, label=lambda number: number % 2):
    """Numbered examples, each an image of its number."""
    return [
        {"image": np.full((*size, channels), number, np.uint8), "label": label(number)}
        for number in range(first, first + count)
    ]


def write(folder, name: str, image=(4, 5, 1), features=None, **splits) -> None:
    import tensorflow_datasets as tfds

    default = {
        "image": tfds.features.Image(shape=image),
        "label": tfds.features.ClassLabel(names=["cat", "dog"]),
    }
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        features=tfds.features.FeaturesDict(default if features is None else features),
        split_datasets={split: list(enumerate(rows)) for split, rows in splits.items()},
        data_dir=folder,
        disable_shuffling=True,
    )


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder of small sets, as TFDS writes them."""
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("tfds")
    write(folder, "pets", train=examples(40), test=examples(6, 50))
    write(folder, "whole", train=examples(20), validation=examples(4, 50), test=examples(6, 60))
    write(
        folder,
        "hidden",
        train=examples(20),
        validation=examples(4, 50),
        test=examples(4, 60, label=lambda _: -1),
    )
    write(folder, "mnist", train=examples(20))
    mixed = [*examples(10), *examples(1, 20, (9, 2)), *examples(9, 30, (30, 40))]
    write(folder, "mixed", (None, None, 1), train=mixed, test=examples(2, 50, (3, 3)))
    text = {"image": tfds.features.Image(shape=(4, 5, 1)), "caption": tfds.features.Text()}
    write(folder, "captions", features=text, train=[{"image": examples(1)[0]["image"], "caption": "a cat"}])
    deep = {
        "image": tfds.features.Image(shape=(2, 2, 1), dtype=np.uint16),
        "label": tfds.features.ClassLabel(num_classes=2),
    }
    write(folder, "deep", features=deep, train=[{"image": np.zeros((2, 2, 1), np.uint16), "label": 0}])
    write(folder, "untrained", test=examples(4))
    return folder


@pytest.fixture(autouse=True)
def offline(shelf, monkeypatch):
    asked = []

    def refuse(*address, **_options):
        asked.append(address)
        raise OSError("this test has no network")

    monkeypatch.setenv("TFDS_DATA_DIR", str(shelf))
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield
    assert asked == []


def values(split) -> list[int]:
    return split.images[:, 0, 0, 0].tolist()


def test_train_and_test(shelf):
    data = load("pets", validation_split=0.25)
    assert data.facts.classes == ("cat", "dog")
    assert data.facts.shape == (4, 5, 1)
    assert data.facts.counts == {"train": [15, 15], "validation": [5, 5]}
    assert data.facts.flip_invariant
    assert all("few to rank" in note for note in data.facts.notes)
    assert sorted(values(data.train) + values(data.validation)) == list(range(40))
    for split in (data.train, data.validation, data.load_test()):
        assert [value % 2 for value in values(split)] == split.labels.tolist()
    assert values(data.load_test()) == [50, 51, 52, 53, 54, 55]


def test_order_is_that_on_disk(shelf):
    assert values(load("whole").train) == list(range(20))


def test_own_validation_is_used(shelf):
    data = load("whole")
    assert values(data.validation) == [50, 51, 52, 53]
    assert values(data.load_test()) == list(range(60, 66))


def test_a_test_split_without_labels_is_not_used(shelf):
    data = load("hidden", validation_split=0.2)
    assert values(data.load_test()) == [50, 51, 52, 53]
    assert sorted(values(data.train) + values(data.validation)) == list(range(20))
    assert "hidden has no labeled test split: its validation split serves as test" in data.facts.notes


def test_train_alone_gives_the_test_too(shelf):
    data = load("mnist")
    assert data.facts.counts["test"] == [2, 2]
    assert "no test split" in data.facts.notes[0]


def test_digits_are_not_mirrored(shelf):
    assert not load("mnist").facts.flip_invariant


def test_mixed_sizes_need_one(shelf):
    with pytest.raises(InputError, match=r"'mixed' differ in size, from 9 x 2 to 30 x 40.*--image_size"):
        load("mixed")
    data = load("mixed", image_size=(6, 7))
    assert data.facts.shape == (6, 7, 1)
    assert data.load_test().images.shape == (2, 6, 7, 1)


def test_test_is_read_last(shelf, tmp_path, monkeypatch):
    shutil.copytree(shelf / "pets", tmp_path / "pets")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    data = load("pets")
    next(tmp_path.glob("pets/1.0.0/*-test.*")).unlink()
    with pytest.raises(InputError, match=r"files of 'pets' .* cannot be read"):
        data.load_test()


def test_tfds_damaged_files_are_named(shelf, tmp_path, monkeypatch):
    shutil.copytree(shelf / "pets", tmp_path / "pets")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    records = next(tmp_path.glob("pets/1.0.0/*-train.*"))
    records.write_bytes(records.read_bytes()[: os.path.getsize(records) // 2])
    with pytest.raises(InputError, match=r"files of 'pets' .* cannot be read .*Remove them and fetch"):
        load("pets")


def test_tfds_missing_set_is_refused_without_network(shelf):
    start = time.monotonic()
    with pytest.raises(InputError) as told:
        load("cifar100")
    assert time.monotonic() - start < 10
    message = str(told.value)
    assert f"'cifar100' is not in {shelf}" in message
    assert "pets, untrained, whole" in message
    assert "--download" in message and "TFDS_DATA_DIR" in message


def test_tfds_missing_config_and_version_are_named(shelf):
    for name in ("pets:2.0.0", "emnist/letters"):
        with pytest.raises(InputError, match=r"captions.*pets"):
            load(name)


def test_tfds_without_any_set_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"where there is: nothing\. Fetch it with --download"):
        load("mnist")


@pytest.mark.parametrize(("name", "hint"), [("cifr10", "cifar10"), ("digit", "digits"), ("pet", "pets")])
def test_near_misses_are_suggested(name, hint):
    with pytest.raises(InputError, match=f"unknown data set '{name}'. Did you mean '{hint}'") as told:
        load(name)
    assert "folder:PATH" in str(told.value) and len(str(told.value)) < 300


@pytest.mark.parametrize("name", ["", "/", "../pets", "a b", "pets/x=1", "huggingface:mnist"])
def test_names_that_cannot_be_are_refused(name):
    with pytest.raises(InputError):
        load(name)


def test_an_unknown_name_is_not_downloaded():
    with pytest.raises(InputError, match="unknown data set 'cifr10'"):
        load("cifr10", download=True)


def test_a_failed_download_is_one_line(shelf, tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    def builder(*_args, **_options):
        raise OSError("no route\nto host")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(tfds, "builder", builder)
    with pytest.raises(InputError, match=f"cannot fetch 'mnist' into {tmp_path}: no route to host"):
        load("mnist", download=True)


def test_download_asks_only_for_what_is_missing(shelf):
    assert len(load("pets", download=True).load_test()) == 6


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("captions", r"no image classification set: .* but has caption \(Text\), image \(Image\)"),
        ("deep", "uint16 with 1 channels; allowed is uint8"),
        ("untrained", "needs a labeled split train, but has test"),
    ],
)
def test_sets_that_do_not_fit_are_refused(name, message):
    with pytest.raises(InputError, match=message):
        load(name)
