"""Folders of photos: layouts, odd and broken files, copies, and every way to get it wrong."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_cnn.data.sources import load
from keras_cnn.errors import InputError
from keras_cnn.logs import redirected

RED, BLUE = (255, 0, 0), (0, 0, 255)


def photo(path: Path, color=0, size=(4, 6)) -> None:
    """An image of one color; size is (height, width). Gray where `color` is a number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(color, int) else "RGB"
    Image.new(mode, size[::-1], color).save(path)


def fill(root: Path, classes=("cat", "dog"), count=10, first=0, size=(4, 6)) -> Path:
    """`count` gray images a class, each of a value of its own: cat 0, 1, ..., dog 100, 101, ..."""
    for label, name in enumerate(classes):
        for number in range(first, first + count):
            photo(root / name / f"{number:03}.png", label * 100 + number, size)
    return root


def read(root: Path, **options):
    return load(f"folder:{root}", **options)


def values(split) -> list[int]:
    return split.images[:, 0, 0, 0].tolist()


def notes(data) -> str:
    return "\n".join(data.facts.notes)


def test_one_folder_a_class(tmp_path):
    data = read(fill(tmp_path), validation_split=0.25)
    assert data.facts.name == f"folder:{tmp_path}"
    assert data.facts.classes == ("cat", "dog")
    assert data.facts.shape == (4, 6, 1)
    assert data.facts.counts == {"train": [6, 6], "validation": [2, 2], "test": [2, 2]}
    for split in (data.train, data.validation, data.load_test()):
        assert [value // 100 for value in values(split)] == split.labels.tolist()


@pytest.mark.parametrize("validation", ["val", "validation"])
def test_image_folder_reads_its_own_splits(tmp_path, validation):
    for number, name in enumerate(["train", validation, "test"]):
        fill(tmp_path / name, count=3, first=10 * number)
    data = read(tmp_path)
    assert values(data.train) == [0, 1, 2, 100, 101, 102]
    assert values(data.validation) == [10, 11, 12, 110, 111, 112]
    assert values(data.load_test()) == [20, 21, 22, 120, 121, 122]
    assert data.facts.counts == {"train": [3, 3], "validation": [3, 3], "test": [3, 3]}
    assert data.facts.notes == ()


def test_train_and_test_alone_cut_validation_from_train(tmp_path):
    fill(tmp_path / "train", count=4)
    fill(tmp_path / "test", count=1, first=50)
    data = read(tmp_path, validation_split=0.25)
    assert data.facts.counts == {"train": [3, 3], "validation": [1, 1], "test": [1, 1]}


def test_test_is_decoded_last(tmp_path):
    fill(tmp_path / "train", count=4)
    fill(tmp_path / "test", count=2, first=50)
    data = read(tmp_path)
    photo(tmp_path / "test/cat/050.png", 77)  # after the scan: read only now
    assert 77 in values(data.load_test())


def test_a_class_may_be_called_train(tmp_path):
    assert read(fill(tmp_path, classes=("bus", "train"))).facts.classes == ("bus", "train")


def test_one_color_image_makes_all_color(tmp_path):
    fill(tmp_path)
    photo(tmp_path / "cat/red.png", RED)
    data = read(tmp_path)
    assert data.facts.shape == (4, 6, 3)
    whole = np.concatenate([split.images for split in (data.train, data.validation, data.load_test())])
    assert sum((image == RED).all() for image in whole) == 1


def test_color_in_test_alone_counts_too(tmp_path):
    fill(tmp_path / "train", count=4)
    fill(tmp_path / "test", count=2, first=50)
    photo(tmp_path / "test/dog/blue.png", BLUE)
    assert read(tmp_path).facts.shape == (4, 6, 3)


def test_image_size_mends_mixed_sizes(tmp_path):
    fill(tmp_path)
    photo(tmp_path / "cat/large.png", 9, size=(30, 20))
    with pytest.raises(InputError, match=r"differ in size, from 4 x 6 to 30 x 20.*--image_size 96 96"):
        read(tmp_path)
    assert read(tmp_path, image_size=(5, 7)).facts.shape == (5, 7, 1)


def test_one_pixel_is_an_image(tmp_path):
    assert read(fill(tmp_path, size=(1, 1))).facts.shape == (1, 1, 1)


def test_names_of_one_character_forbid_mirroring(tmp_path):
    assert read(fill(tmp_path / "pets")).facts.flip_invariant
    assert not read(fill(tmp_path / "letters", classes=("b", "d"))).facts.flip_invariant


def test_files_that_are_no_images_are_named_and_counted(tmp_path):
    fill(tmp_path)
    for number in range(7):
        (tmp_path / f"cat/notes{number}.txt").write_text("no image")
    (tmp_path / "dog/empty.jpg").touch()
    (tmp_path / "dog/deeper").mkdir()
    data = read(tmp_path)
    assert "no images and left out (9): cat/notes0.txt, " in notes(data)
    assert "and 4 more" in notes(data)
    assert sum(map(sum, data.facts.counts.values())) == 20


def test_broken_images_are_named_and_left_out(tmp_path):
    fill(tmp_path, size=(40, 60))
    whole = (tmp_path / "cat/003.png").read_bytes()
    (tmp_path / "cat/003.png").write_bytes(whole[: len(whole) // 2])
    data = read(tmp_path)
    assert "broken images are left out (1): cat/003.png" in notes(data)
    everything = [
        value for split in (data.train, data.validation, data.load_test()) for value in values(split)
    ]
    assert sorted(everything) == [number for number in [*range(10), *range(100, 110)] if number != 3]


def test_broken_test_images_are_named_in_the_log(tmp_path):
    fill(tmp_path / "train")
    fill(tmp_path / "test", count=2, first=50)
    path = tmp_path / "test/dog/050.png"
    path.write_bytes(path.read_bytes()[:45])
    data = read(tmp_path)
    messages: list[str] = []
    with redirected(messages.append):
        assert values(data.load_test()) == [50, 51, 151]
    assert "test/dog/050.png" in messages[0]


def test_hidden_files_and_folders_are_ignored(tmp_path):
    fill(tmp_path)
    (tmp_path / "cat/.DS_Store").write_bytes(b"\0")
    photo(tmp_path / ".cache/1.png", 1)
    photo(tmp_path / "__MACOSX/1.png", 1)
    data = read(tmp_path)
    assert data.facts.classes == ("cat", "dog")
    assert "no images" not in notes(data)


def test_copies_across_splits_are_reported(tmp_path):
    for number, name in enumerate(["train", "val", "test"]):
        fill(tmp_path / name, count=3, first=10 * number)
    for source, copy in [("train/cat/000.png", "test/dog/x.png"), ("train/cat/001.png", "val/cat/y.png")]:
        (tmp_path / copy).write_bytes((tmp_path / source).read_bytes())
    data = read(tmp_path)
    assert "images are in two splits, which flatters the score (2)" in notes(data)
    assert "train/cat/000.png = test/dog/x.png" in notes(data)
    assert "train/cat/001.png = val/cat/y.png" in notes(data)


def test_copies_within_a_split_are_reported(tmp_path):
    fill(tmp_path)
    (tmp_path / "cat/z.png").write_bytes((tmp_path / "cat/004.png").read_bytes())
    assert "images are there more than once (1): cat/004.png = cat/z.png" in notes(read(tmp_path))


def test_order_is_that_of_the_names(tmp_path):
    for number in (2, 10, 1):
        fill(tmp_path / "train", count=1, first=number)
    fill(tmp_path / "val", count=1, first=50)
    fill(tmp_path / "test", count=1, first=60)
    assert values(read(tmp_path).train) == [1, 2, 10, 101, 102, 110]


def test_image_folder_that_is_missing_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder .*nowhere.*Give folder:PATH"):
        read(tmp_path / "nowhere")


def test_no_class_folder(tmp_path):
    photo(tmp_path / "1.png")
    with pytest.raises(InputError, match="one sub-folder a class, two or more, but has none"):
        read(tmp_path)


def test_image_folder_of_one_class_is_refused(tmp_path):
    with pytest.raises(InputError, match="two or more, but has 'cat' alone"):
        read(fill(tmp_path, classes=("cat",)))


def test_empty_class_folders(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    with pytest.raises(InputError, match=r"train folders of .* hold no image. Allowed: .*PNG"):
        read(tmp_path)


def test_images_of_one_class_alone(tmp_path):
    fill(tmp_path, classes=("cat",))
    (tmp_path / "dog").mkdir()
    with pytest.raises(InputError, match="two classes or more, but has those of 'cat' alone"):
        read(tmp_path)


@pytest.mark.parametrize(("split", "role"), [("val", "validation"), ("test", "test")])
def test_image_folder_with_an_empty_split_is_refused(tmp_path, split, role):
    fill(tmp_path / "train")
    for name in ("cat", "dog"):
        (tmp_path / split / name).mkdir(parents=True)
    with pytest.raises(InputError, match=rf"the {role} folders of .* hold no image"):
        read(tmp_path)


def test_classes_that_differ(tmp_path):
    fill(tmp_path / "train", classes=("cat", "dog", "emu"))
    fill(tmp_path / "test", classes=("cat", "dog", "elk"))
    with pytest.raises(InputError, match="train and test differ: train alone has emu; test alone has elk"):
        read(tmp_path)


def test_splits_without_class_folders(tmp_path):
    photo(tmp_path / "train/cat.0.png")
    photo(tmp_path / "test/cat.1.png")
    with pytest.raises(InputError, match="one sub-folder a class"):
        read(tmp_path)


def test_splits_without_train(tmp_path):
    fill(tmp_path / "val")
    fill(tmp_path / "test", first=50)
    with pytest.raises(InputError, match=r"has the folders val, test\. Needed is train"):
        read(tmp_path)


def test_two_folders_for_validation(tmp_path):
    for name in ("train", "val", "validation"):
        fill(tmp_path / name)
    with pytest.raises(InputError, match=r"train, val, validation\. Needed is train, allowed one val"):
        read(tmp_path)
