"""Folders of photos: layouts, odd and broken files, copies, and every way to get it wrong."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_cnn.cli
from keras_cnn.data.sources import load
from keras_cnn.errors import InputError
from keras_cnn.logs import redirected
from keras_cnn.parser import image_files

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
    assert [note for note in data.facts.notes if "few to rank" not in note] == []


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
    (tmp_path / "dog/gone.jpg").symlink_to(tmp_path / "nowhere")
    data = read(tmp_path)
    assert "no images and left out (9): cat/notes0.txt, " in notes(data)
    assert "and 4 more" in notes(data)
    assert len(data.left_out) == 9
    assert data.left_out[0].startswith(
        f"'{tmp_path}/cat/notes0.txt' is no image of a known format. Allowed: BMP"
    )
    assert data.left_out[-1] == f"'{tmp_path}/dog/gone.jpg' is no regular file."
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


def test_broken_images_are_listed_with_the_reason(tmp_path):
    fill(tmp_path, size=(40, 60))
    path = tmp_path / "cat/003.png"
    path.write_bytes(path.read_bytes()[:50])
    assert "cat/003.png' is not a readable image" in read(tmp_path).left_out[0]


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


JUNK = [
    *("cat/.DS_Store", "cat/._000.png", "cat/Thumbs.db", "cat/desktop.ini", "cat/.ipynb_checkpoints/000.png"),
    *("cat/@eaDir/000.png", "__MACOSX/cat/._000.png", ".cache/1.png", "dog/__MACOSX/1.png", ".hidden.png"),
]


def test_junk_is_skipped_without_a_word_by_folder_and_by_predict(tmp_path):
    fill(tmp_path)
    for name in JUNK:
        photo(tmp_path / name if name.endswith("png") else tmp_path / f"{name}.png", 1)
        if not name.endswith("png"):
            (tmp_path / f"{name}.png").rename(tmp_path / name)
    data = read(tmp_path)
    assert data.facts.classes == ("cat", "dog")
    assert sum(map(sum, data.facts.counts.values())) == 20
    assert "left out" not in notes(data) and "read as" not in notes(data)
    images = sorted(path for name in ("cat", "dog") for path in (tmp_path / name).glob("[0-9]*.png"))
    assert image_files([str(tmp_path)]) == images and len(images) == 20


def test_a_hidden_folder_that_was_named_is_read(tmp_path):
    root = fill(tmp_path / ".cache/photos")
    assert read(root).facts.classes == ("cat", "dog")
    assert len(image_files([str(root)])) == 20


def test_images_in_nested_folders_have_the_class_of_the_outer_one(tmp_path):
    """As torchvision's ImageFolder and Keras's image_dataset_from_directory read them."""
    fill(tmp_path, count=4)
    for number in range(3):
        photo(tmp_path / f"cat/2024 trip/rome/{number}.png", 40 + number)
        photo(tmp_path / f"dog/2024 trip/{number}.png", 140 + number)
    data = read(tmp_path)
    assert sum(map(sum, data.facts.counts.values())) == 14
    for split in (data.train, data.validation, data.load_test()):
        assert [value // 100 for value in values(split)] == split.labels.tolist()
    assert "sub-folders are read as part of their class (2): cat/2024 trip/rome, dog/2024 trip" in notes(data)
    assert data.left_out == ()


def test_links_are_followed_and_loops_have_an_end(tmp_path):
    fill(tmp_path / "pool", classes=("cat",), count=3)
    root = fill(tmp_path / "root", classes=("dog",), count=3, first=10)
    (root / "cat").symlink_to(tmp_path / "pool/cat")
    for place, target in [
        ("pool/cat/up", root),
        ("root/dog/self", root / "dog"),
        ("root/dog/top", Path("/")),
    ]:
        (tmp_path / place).symlink_to(target)
    data = read(root)
    everything = [
        value for split in (data.train, data.validation, data.load_test()) for value in values(split)
    ]
    assert sorted(everything) == [0, 1, 2, 10, 11, 12]  # the class dog comes first: its images are 10, 11, 12


@pytest.mark.parametrize(
    "names",
    [
        *(("Train", "Valid", "Test"), ("TRAINING", "dev", "Testing"), ("training", "validation", "eval")),
        *(("training_set", "val_set", "test_set"), ("train-images", "valid images", "test images")),
    ],
)
def test_split_folders_have_their_usual_names_in_any_case(tmp_path, names):
    for number, name in enumerate(names):
        fill(tmp_path / name, count=3, first=10 * number)
    data = read(tmp_path)
    assert data.facts.counts == {"train": [3, 3], "validation": [3, 3], "test": [3, 3]}
    assert values(data.validation) == [10, 11, 12, 110, 111, 112]
    assert values(data.load_test()) == [20, 21, 22, 120, 121, 122]
    assert data.left_out == () and not [note for note in data.facts.notes if "left out" in note]


def test_folders_beside_the_splits_are_named_with_their_number_of_images(tmp_path):
    fill(tmp_path / "train", count=5)
    fill(tmp_path / "valid", count=5, first=50)
    fill(tmp_path / "unlabeled/more", count=6)
    (tmp_path / "annotations").mkdir()
    data = read(tmp_path)
    assert data.facts.counts["validation"] == [5, 5]
    assert (
        "folders that are no split are left out (2): annotations (0 images), unlabeled (12 images). "
        "Splits are called train or training; val or valid or validation or dev; test" in notes(data)
    )


def test_images_without_a_class_folder_are_named(tmp_path):
    fill(tmp_path / "train", count=5)
    photo(tmp_path / "train/loose.png")
    photo(tmp_path / "top.jpg")
    for number in range(3):
        photo(tmp_path / f"test/{number}.png")
    data = read(tmp_path)
    assert "test (3 images) has no class folders and is left out as test" in notes(data)
    assert "images outside of the class folders are left out (1): train/loose.png" in notes(data)
    assert "images outside of the class folders are left out (1): top.jpg" in notes(data)
    assert sum(map(sum, data.facts.counts.values())) == 10


@pytest.mark.parametrize("name", ["test", "Test", "dev", "train"])
def test_a_class_may_be_called_like_a_split(tmp_path, name):
    data = read(fill(tmp_path, classes=("bus", name)))
    assert data.facts.classes == tuple(sorted(("bus", name)))
    assert f"read as classes, not as splits, for what is beside them: {name}" in notes(data)


def test_a_nested_class_called_train_is_no_split(tmp_path):
    fill(tmp_path, classes=("bus", "train"))
    for name in ("2023", "2024"):
        photo(tmp_path / "train" / name / "1.png", 40)
    data = read(tmp_path)
    assert data.facts.classes == ("bus", "train")
    assert sum(map(sum, data.facts.counts.values())) == 22


def test_a_split_beside_the_classes_is_refused(tmp_path):
    fill(tmp_path, count=4)
    fill(tmp_path / "test", first=50, count=2)
    with pytest.raises(
        InputError, match=r"folders cat, dog beside test.*move the others into a folder train"
    ):
        read(tmp_path)


def test_a_folder_around_the_classes_says_what_to_give(tmp_path):
    fill(tmp_path / "my photos")
    with pytest.raises(InputError, match=r"has 'my photos' alone.*give 'folder:.*/my photos'\.$"):
        read(tmp_path)


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


def test_class_folders_of_other_formats_say_which_files_they_hold(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.heic").write_bytes(b"....ftypheic")
    with pytest.raises(
        InputError, match=r"no image, but files that are none \(2\): cat/1\.heic, dog/1\.heic"
    ):
        read(tmp_path)


def test_a_name_that_is_no_text_is_printed_and_listed(tmp_path, monkeypatch, capsys):
    fill(tmp_path)
    monkeypatch.chdir(tmp_path)
    for number in range(6):
        (tmp_path / "cat" / os.fsdecode(b"\xff%d.png" % number)).write_text("no image")
    assert keras_cnn.cli.main(["data", f"folder:{tmp_path}"]) == 0
    assert r"cat/\udcff0.png" in capsys.readouterr().out
    assert len(next((tmp_path / "runs").iterdir()).read_text().splitlines()) == 6


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
    message = (
        r"has 2 folders for the split validation: val \(20 images\) and validation \(20 images\)\. Keep one"
    )
    with pytest.raises(InputError, match=message):
        read(tmp_path)


def test_data_command_lists_every_file_left_out_in_a_file(tmp_path, monkeypatch, capsys):
    fill(tmp_path / "my photos")
    monkeypatch.chdir(tmp_path)
    for number in range(5):
        (tmp_path / f"my photos/cat/{number}.txt").write_text("no image")
    assert keras_cnn.cli.main(["data", "folder:my photos"]) == 0
    assert "cat/3.txt, cat/4.txt" in capsys.readouterr().out  # all fit on the screen
    assert not (tmp_path / "runs").exists()
    (tmp_path / "my photos/dog/5.txt").touch()
    assert keras_cnn.cli.main(["data", "folder:my photos"]) == 0
    listed = tmp_path / "runs/my photos-left_out.txt"
    assert "cat/4.txt and 1 more" in (printed := capsys.readouterr().out)
    assert "all 6 files that are left out: runs/my photos-left_out.txt" in printed
    assert [line.split("'")[1] for line in listed.read_text().splitlines()] == [
        *(f"my photos/cat/{number}.txt" for number in range(5)),
        "my photos/dog/5.txt",
    ]
    assert keras_cnn.cli.main(["data", "folder:my photos", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["classes"]) == 2
