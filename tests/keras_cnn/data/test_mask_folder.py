"""Pairs of image and mask: what is read, how masks become classes, and every mismatch named."""

import re
import shlex
import sys

import numpy as np
import pytest
from PIL import Image

from keras_cnn.data.mask_colors import to_classes
from keras_cnn.data.sources import load
from keras_cnn.errors import InputError


def fill(root, count=10, values=(0, 255), size=(8, 6), label="png"):
    """`count` pairs of height x width `size`: image i is i everywhere, the mask has the values from top to bottom."""
    mask = np.array(values, np.uint8)[np.arange(size[0]) * len(values) // size[0]]
    for number in range(count):
        write(root, number, np.full(size, number, np.uint8), np.tile(mask[:, None], size[1]), label)
    return f"pairs:{root}"


def write(root, number, image, mask, suffix="png"):
    for folder, pixels, ending in (("image", image, "png"), ("label", mask, suffix)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        picture.save(root / folder / f"{number}.{ending}")


def test_pairs_are_read_and_cut(tmp_path):
    data = load(fill(tmp_path, label="tif"), validation_split=0.25)
    assert (data.facts.task, data.facts.shape) == ("segmentation", (8, 6, 1))
    assert data.facts.classes == ("black", "white")
    assert data.facts.counts == {"train": [144, 144], "validation": [48, 48], "test": [48, 48]}
    assert [data.facts.images(split) for split in data.facts.counts] == [6, 2, 2]
    splits = (data.train, data.validation, data.load_test())
    assert sorted(i for split in splits for i in split.images[:, 0, 0, 0].tolist()) == list(range(10))
    for split in splits:
        assert split.labels.dtype == np.uint8
        assert (split.labels[:, :4] == 0).all() and (split.labels[:, 4:] == 1).all()


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [(".", "val", "test"), ("train", "val", "test"), ("Training", "Valid", "Testing")],
)
def test_own_splits_and_class_names(tmp_path, train, val, test):
    for name, count in ((train, 4), (val, 2), (test, 3)):
        fill(tmp_path / name, count, values=(0, 1, 2), size=(6, 6))
    (tmp_path / "classes.txt").write_text("sky\ncell\nwall\n\n")
    data = load(f"pairs:{tmp_path}")
    assert data.facts.classes == ("sky", "cell", "wall")
    assert [len(s) for s in (data.train, data.validation, data.load_test())] == [4, 2, 3]
    assert data.facts.counts["test"] == [36, 36, 36]


def test_named_classes_may_be_missing(tmp_path):
    name = fill(tmp_path, values=(0, 3))
    (tmp_path / "classes.txt").write_text("a\nb\nc\nd")
    assert load(name).facts.counts["train"] == [168, 0, 0, 168]


def test_masks_are_resized_without_new_values(tmp_path):
    fill(tmp_path, 8, size=(8, 8))
    fill(tmp_path, 2, size=(16, 16))
    with pytest.raises(InputError, match="--image_size"):
        load(f"pairs:{tmp_path}")
    data = load(f"pairs:{tmp_path}", image_size=(4, 4))
    assert data.train.images.shape[1:] == (4, 4, 1)
    assert (data.train.labels == np.repeat([0, 0, 1, 1], 4).reshape(4, 4)).all()


def palette(mask):
    image = Image.fromarray(mask, "P")
    image.putpalette([200, 10, 10, 10, 200, 10] + [0] * 762)
    return image


MASKS = {
    "palette": (palette, (0, 1)),
    "one bit": (lambda mask: Image.fromarray(mask.astype(bool)), (0, 1)),
    "16 bits, classes": (lambda mask: mask.astype(np.uint16), (0, 1)),
    "16 bits, black and white": (lambda mask: mask.astype(np.uint16) * 65535, (0, 1)),
    "RGB of grays": (lambda mask: np.repeat(mask[..., None], 3, axis=2), (0, 255)),
    "with alpha": (lambda mask: Image.fromarray(mask).convert("LA"), (0, 255)),
}


@pytest.mark.parametrize("kind", MASKS)
def test_masks_of_every_kind_mean_the_same(tmp_path, kind):
    make, values = MASKS[kind]
    mask = np.repeat(np.array(values, np.uint8), 4)[:, None].repeat(6, axis=1)
    for number in range(4):
        write(tmp_path, number, np.full((8, 6), number, np.uint8), make(mask))
    data = load(f"pairs:{tmp_path}")
    assert data.facts.classes == (
        ("black", "white") if data.facts.notes[0].count("255") else ("class0", "class1")
    )
    assert (data.train.labels[:, :4] == 0).all() and (data.train.labels[:, 4:] == 1).all()


def test_every_mismatch_is_named(tmp_path):
    name = fill(tmp_path)
    (tmp_path / "label" / "3.png").unlink()
    (tmp_path / "image" / "7.png").unlink()
    with pytest.raises(InputError, match="image 3 has no label, label 7 has no image"):
        load(name)
    fill(tmp_path)
    (tmp_path / "image" / "8.png").write_bytes((tmp_path / "image" / "8.png").read_bytes()[:45])
    with pytest.raises(InputError, match=r"1 of .* do not fit.*8\.png"):
        load(name)
    Image.new("L", (9, 9)).save(tmp_path / "label" / "2.png")
    (tmp_path / "image" / "5.png").write_text("no image")
    with pytest.raises(InputError, match=r"2 of 10 pairs.*2\.png is 8 x 6, its label 9 x 9.*5\.png"):
        load(name)


def test_masks_with_unknown_values_are_named(tmp_path):
    fill(tmp_path, values=(0, 1))
    fill(tmp_path, 2, values=(0, 7))
    with pytest.raises(InputError, match=r"may hold 0, 1, but label/0\.png holds 7, label/1\.png holds 7"):
        load(f"pairs:{tmp_path}")
    (tmp_path / "classes.txt").write_text("one\none")
    with pytest.raises(InputError, match="2 to 256 different names"):
        load(f"pairs:{tmp_path}")


@pytest.mark.parametrize(
    ("mask", "suffix", "message"),
    [
        (np.zeros((8, 6), np.uint8), "jpg", "1 of 11 masks are JPEG, which blurs"),
        (
            np.full((8, 6), 300, np.uint16),
            "png",
            r"10\.png' holds 300 to 300; allowed are whole numbers from 0 to 255",
        ),
        (np.arange(144, dtype=np.uint8).reshape(8, 6, 3), "png", "colored"),
    ],
)
def test_masks_that_cannot_mean_classes(tmp_path, mask, suffix, message):
    fill(tmp_path)
    write(tmp_path, 10, np.zeros((8, 6), np.uint8), mask, suffix)
    with pytest.raises(InputError, match=message):
        load(f"pairs:{tmp_path}")


def mended(message: str) -> str:
    """Run the command at the end of a message, as a user would; returns the colors that it takes for classes."""
    code = shlex.split(message[message.index(sys.executable) :])[2]
    exec(code)
    return code.partition("], ")[2].removesuffix(")")


def disc_masks(root, count=6, side=32, low=0, high=255):
    """Masks of a disc, and images of noise."""
    rows, columns = np.mgrid[:side, :side]
    for number in range(count):
        disc = (rows - 12 - number) ** 2 + (columns - 16) ** 2 < 64
        write(
            root, number, np.full((side, side), number, np.uint8), np.where(disc, high, low).astype(np.uint8)
        )


def change(root, make, suffix="png"):
    """Replace each mask by `make(mask)`, saved in another format."""
    for path in sorted((root / "label").glob("*.png")):
        picture = make(Image.open(path))
        path.unlink()
        picture.save(path.with_suffix(f".{suffix}"))


def refusal(root) -> str:
    with pytest.raises(InputError) as error:
        load(f"pairs:{root}")
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def discs(tmp_path):
    """The folder of black-and-white masks of discs, and how many of their pixels are white."""
    root = tmp_path / "my cells"
    disc_masks(root)
    data = load(f"pairs:{root}", validation_split=0.2)
    return root, sum(sum(counts) for counts in data.facts.counts.values()), share_of_second(data)


def share_of_second(data) -> float:
    return sum(counts[1] for counts in data.facts.counts.values()) / sum(map(sum, data.facts.counts.values()))


def both_ways(size, method):
    """Resize to `size` and back."""
    return lambda mask: mask.resize((size, size), method).resize(mask.size, method)


@pytest.mark.parametrize("method", ["BILINEAR", "BICUBIC", "LANCZOS"])
@pytest.mark.parametrize("size", [20, 64, 75])
def test_interpolated_masks_name_the_cause_and_the_command_that_fixes_them(discs, method, size):
    root, _, share = discs
    change(root, both_ways(size, Image.Resampling[method]))
    message = refusal(root)
    assert (
        "occur only where areas meet: the masks were resized with interpolation, or saved as JPEG" in message
    )
    assert "label/0.png" in message and "Image.Resampling.NEAREST" in message and len(message) < 1500
    assert mended(message) == "[0, 255]"
    assert (root / "label-original/0.png").exists()
    data = load(f"pairs:{root}", validation_split=0.2)
    assert data.facts.classes == ("class0", "class1")
    assert abs(share_of_second(data) - share) < 0.01


def test_masks_of_all_shades_are_no_256_classes(tmp_path):
    """Enough interpolated masks hold every number from 0 to 255."""
    disc_masks(tmp_path, count=12, side=64)
    rng = np.random.default_rng(0)
    change(tmp_path, lambda mask: mask.resize((int(rng.integers(65, 110)),) * 2, Image.Resampling.BICUBIC))
    for path in (tmp_path / "image").iterdir():
        Image.open(path).resize(Image.open(tmp_path / "label" / path.name).size).save(path)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None], 3, axis=0)  # each number has no inside
    write(tmp_path, 99, np.zeros((3, 256), np.uint8), np.vstack([ramp[:1], 255 - ramp[:1], ramp[:1]]))
    message = refusal(tmp_path)
    assert "masks hold 256 different numbers" in message and mended(message) == "[0, 255]"


def test_many_classes_that_fill_areas_are_classes(tmp_path):
    for number in range(6):
        mask = np.kron(np.arange(40, dtype=np.uint8).reshape(5, 8), np.ones((5, 5), np.uint8))
        write(tmp_path, number, np.full(mask.shape, number, np.uint8), mask)
    assert len(load(f"pairs:{tmp_path}").facts.classes) == 40


def test_jpeg_masks_name_the_cause_once_and_the_command_that_fixes_them(discs):
    root, _, share = discs
    change(root, lambda mask: mask, "jpg")
    message = refusal(root)
    assert message.count("JPEG") == 1 and "6 of 6 masks are JPEG" in message and "label/5.jpg" in message
    assert mended(message) == "[0, 255]"
    assert sorted(path.name for path in (root / "label").iterdir()) == [
        f"{number}.png" for number in range(6)
    ]
    assert abs(share_of_second(load(f"pairs:{root}", validation_split=0.2)) - share) < 0.01


def test_jpeg_masks_of_small_numbers_cannot_be_fixed(tmp_path):
    disc_masks(tmp_path, high=1)
    change(tmp_path, lambda mask: mask, "jpg")
    assert "make them again, one number a class. Save masks as PNG" in refusal(tmp_path)


PAINT = {0: (0, 0, 0), 1: (128, 0, 0), 2: (224, 224, 192)}


def painted(mask: Image.Image) -> Image.Image:
    """Black, a red disc, and a light line of one pixel around it."""
    disc = np.asarray(mask) > 0
    line = disc & ~np.roll(disc, 1, axis=0)
    classes = np.where(line, 2, disc)
    return Image.fromarray(np.array([PAINT[index] for index in range(3)], np.uint8)[classes])


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_colored_masks_of_few_colors_become_classes(discs, suffix):
    root, pixels, _ = discs
    change(root, painted, suffix)
    message = refusal(root)
    assert "6 of 6 masks are colored, where one number for each class was expected: label/0." in message
    assert "0 for (0, 0, 0), 1 for (128, 0, 0), 2 for (224, 224, 192)" in message
    assert mended(message) == "[(0, 0, 0), (128, 0, 0), (224, 224, 192)]"
    counts = load(f"pairs:{root}", validation_split=0.2).facts.counts
    expected = [0, 0, 0]
    for path in (root / "label-original").iterdir():
        colors = np.asarray(Image.open(path))
        for index, color in PAINT.items():
            expected[index] += int((colors == color).all(axis=2).sum())
    assert [sum(split[index] for split in counts.values()) for index in range(3)] == expected
    assert sum(expected) == pixels


def test_colored_masks_that_were_interpolated_say_both(discs):
    root, _, share = discs
    paint = Image.new("RGB", (1, 1), (0, 128, 0))
    change(
        root,
        lambda mask: both_ways(64, Image.Resampling.BILINEAR)(
            Image.composite(paint.resize(mask.size), Image.new("RGB", mask.size), mask)
        ),
    )
    message = refusal(root)
    assert "are colored" in message and "resized with interpolation" in message
    assert mended(message) == "[(0, 0, 0), (0, 128, 0)]"
    assert abs(share_of_second(load(f"pairs:{root}", validation_split=0.2)) - share) < 0.01


def test_shades_of_gray_that_are_classes_can_be_renumbered(tmp_path):
    name = fill(tmp_path, values=(0, 128, 200), size=(9, 6))
    message = refusal(tmp_path)
    assert "interpolation" not in message and mended(message) == "[0, 128, 200]"
    assert load(name).facts.classes == ("class0", "class1", "class2")


def test_named_classes_keep_their_numbers(tmp_path):
    """As in Pascal VOC, where 255 are pixels without a class: a renumbering would move the classes."""
    name = fill(tmp_path, values=(0, 2, 255), size=(9, 6))
    (tmp_path / "classes.txt").write_text("a\nb\nc\nd")
    with pytest.raises(
        InputError, match=r"may hold 0, 1, 2, 3, but label/0\.png holds 255.*in classes\.txt\.$"
    ):
        load(name)


def indexed(order):
    """Black and white as a palette in this order."""

    def make(mask: Image.Image) -> Image.Image:
        white = np.asarray(mask) > 0
        image = Image.fromarray((white if order == "black first" else ~white).astype(np.uint8), "P")
        image.putpalette([0, 0, 0, 255, 255, 255] if order == "black first" else [255, 255, 255, 0, 0, 0])
        return image

    return make


def test_palettes_that_contradict_each_other_are_refused(discs):
    root, _, share = discs
    change(root, indexed("black first"))
    Image.open(root / "label/2.png").convert("L").save(root / "label/2.png")
    before = Image.open(root / "label/2.png")
    indexed("white first")(before).save(root / "label/2.png")
    message = refusal(root)
    assert "the palettes of the masks differ" in message
    assert "0 is (0, 0, 0) in label/0.png, (255, 255, 255) in label/2.png" in message
    assert mended(message) == "[0, 255]"
    assert abs(share_of_second(load(f"pairs:{root}", validation_split=0.2)) - share) < 1e-9


def test_to_classes_keeps_nested_folders_and_never_overwrites(tmp_path):
    disc_masks(tmp_path / "label")  # the command takes any folder
    folder = tmp_path / "label"
    to_classes([str(folder)], [0, 255])
    assert (folder / "label/3.png").exists() and (tmp_path / "label-original/label/3.png").exists()
    with pytest.raises(InputError, match="label-original' already"):
        to_classes([str(folder)], [0, 255])


def test_broken_files_do_not_repeat_what_is_allowed(tmp_path):
    name = fill(tmp_path)
    for number in range(5):
        (tmp_path / f"label/{number}.png").write_text("no image")
    with pytest.raises(
        InputError, match=r"5 of 10 pairs.*0\.png.*masks in the same formats but JPEG\.$"
    ) as error:
        load(name)
    assert str(error.value).count("Allowed") == 1


@pytest.mark.parametrize(
    ("values", "called"),
    [((0, 255), r"black \(0\), white \(255\)"), ((0, 1, 2), r"class0 \(0\), class1 \(1\), class2 \(2\)")],
)
def test_masks_without_names_say_how_to_name_the_classes(tmp_path, values, called):
    name = fill(tmp_path, values=values, size=(9, 6))
    note = load(name).facts.notes[0]
    assert re.search(rf"called {called}, .*one name a line, in this order, to {tmp_path}/classes\.txt$", note)
    (tmp_path / "classes.txt").write_text("cell\nmembrane\nrest"[: 13 if len(values) == 2 else None])
    data = load(name)
    assert data.facts.classes[:2] == ("cell", "membrane")
    assert not any("called" in note for note in data.facts.notes)


def test_a_stack_of_pages_is_not_read_as_its_first(tmp_path):
    name = fill(tmp_path)
    pages = [Image.new("L", (6, 8)) for _ in range(3)]
    (tmp_path / "image" / "4.png").unlink()
    pages[0].save(tmp_path / "image" / "4.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match="4 has 3 pages"):
        load(name)


def test_folders_that_are_missing_or_doubled(tmp_path):
    with pytest.raises(InputError, match="lacks its path"):
        load("pairs:")
    (tmp_path / "b" / "image").mkdir(parents=True)
    with pytest.raises(InputError, match="no folder label"):
        load(f"pairs:{tmp_path / 'b'}")
    name = fill(tmp_path / "c")
    Image.new("L", (6, 8)).save(tmp_path / "c" / "image" / "4.bmp")
    with pytest.raises(InputError, match="another file of the same stem"):
        load(name)


def test_folders_that_are_no_split_are_named(tmp_path):
    fill(tmp_path, 8)
    fill(tmp_path / "extra", 3)
    data = load(f"pairs:{tmp_path}")
    assert "folders that are no split are left out (1): extra (6 images)" in data.facts.notes[0]
    fill(tmp_path / "train", 8)
    data = load(f"pairs:{tmp_path}")
    assert "left out (3): extra (6 images), image (8 images), label (8 images)" in data.facts.notes[0]


def test_two_folders_of_one_split_are_refused(tmp_path):
    for name in (".", "val", "Validation"):
        fill(tmp_path / name, 2)
    message = r"2 folders for the split validation: Validation \(4 images\) and val \(4 images\)"
    with pytest.raises(InputError, match=message):
        load(f"pairs:{tmp_path}")


def test_nested_folders_pair_by_their_path_and_junk_is_skipped(tmp_path):
    fill(tmp_path, 4)
    for part in ("image", "label"):
        (tmp_path / part / "rome").mkdir()
        for path in sorted((tmp_path / part).glob("*.png")):
            path.with_name("rome").joinpath(path.name).write_bytes(path.read_bytes())
        (tmp_path / part / "Thumbs.db").write_bytes(b"")
    assert (
        sum(load(f"pairs:{tmp_path}").facts.images(split) for split in ("train", "validation", "test")) == 8
    )
    (tmp_path / "label/rome/2.png").unlink()
    with pytest.raises(InputError, match="image rome/2 has no label"):
        load(f"pairs:{tmp_path}")


def test_pairs_that_are_missing_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder .*nowhere.*Give pairs:PATH"):
        load(f"pairs:{tmp_path}/nowhere")
