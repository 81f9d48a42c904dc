"""Pairs of image and mask: what is read, how masks become classes, and every mismatch named."""

import numpy as np
import pytest
from PIL import Image

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
    assert data.facts.classes == ("background", "foreground")
    assert data.facts.counts == {"train": [144, 144], "validation": [48, 48], "test": [48, 48]}
    assert [data.facts.images(split) for split in data.facts.counts] == [6, 2, 2]
    splits = (data.train, data.validation, data.load_test())
    assert sorted(i for split in splits for i in split.images[:, 0, 0, 0].tolist()) == list(range(10))
    for split in splits:
        assert split.labels.dtype == np.uint8
        assert (split.labels[:, :4] == 0).all() and (split.labels[:, 4:] == 1).all()


@pytest.mark.parametrize("train", [".", "train"])
def test_own_splits_and_class_names(tmp_path, train):
    for name, count in ((train, 4), ("val", 2), ("test", 3)):
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
    assert data.facts.classes == ("background", "foreground")
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
        (np.zeros((8, 6), np.uint8), "jpg", "JPEG blurs"),
        (np.full((8, 6), 300, np.uint16), "png", "from 0 to 255, not 300"),
        (np.arange(144, dtype=np.uint8).reshape(8, 6, 3), "png", "colored"),
    ],
)
def test_masks_that_cannot_mean_classes(tmp_path, mask, suffix, message):
    fill(tmp_path)
    write(tmp_path, 10, np.zeros((8, 6), np.uint8), mask, suffix)
    with pytest.raises(InputError, match=message):
        load(f"pairs:{tmp_path}")


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
