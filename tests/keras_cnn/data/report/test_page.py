"""The page about a data set, of each kind of labels."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from keras_cnn import cli
from keras_cnn.data.dataset import ImageData
from keras_cnn.data.report.page import write_data_report
from keras_cnn.data.sources import load
from tests.report_pages import PageReader, check_figure, check_page

HOSTILE = "<script>alert(1)</script>"


def read(data: ImageData, path, **options) -> PageReader:
    write_data_report(data, path, **options)
    reader = check_page(path.read_text(encoding="utf-8"))
    for figure in reader.figures.values():
        check_figure(figure)
    return reader


def test_page_has_counts_brightness_images_and_a_batch(data, tmp_path):
    facts = replace(data.facts, classes=(HOSTILE, "right"))
    reader = read(replace(data, facts=facts), tmp_path / "data.html", augmentation="flip+cutout")
    bars = {bar["name"]: bar["x"] for bar in reader.figures["classes"]["data"]}
    assert bars == {"train": [96, 96], "validation": [32, 32]}
    assert reader.figures["classes"]["data"][0]["y"][0] == "&lt;script&gt;alert(1)&lt;/script&gt;"
    means = {line["name"]: sum(line["y"]) for line in reader.figures["brightness"]["data"]}
    assert means == pytest.approx({"train": 1, "validation": 1, "test": 1}, abs=1e-3)
    assert f"10 images of {HOSTILE} in train" in reader.labels
    assert reader.labels.count("8 training images after resizing and augmentation") == 2
    assert "(flip+cutout)" in reader.words and "equal images 0 pairs" in reader.words


def test_page_names_copies_across_splits_and_images_of_one_color(data, tmp_path):
    train = replace(data.train, images=data.train.images.copy())
    train.images[0] = 7
    train.images[5] = data.validation.images[3]
    reader = read(replace(data, train=train), tmp_path / "data.html")
    assert "equal images 1 pairs: 1 across train and validation, which may flatter the score" in reader.words
    assert "train 5 (right) and validation 3 (right)" in reader.words
    assert "images of nearly one color 1 (1 in train)" in reader.words


def test_page_of_masks_has_shares_and_overlays_and_no_batch(mask_data, tmp_path):
    reader = read(mask_data, tmp_path / "data.html")
    bars = {bar["name"]: bar["x"] for bar in reader.figures["classes"]["data"]}
    assert bars["train"] == mask_data.facts.counts["train"] and "10 images of train" in reader.labels
    assert "A batch as the net gets it" not in reader.words and "sky is the most frequent" in reader.words


def test_page_of_values_has_no_counts(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8)
    data = load((x, np.linspace(0, 1, 60, dtype=np.float32)))
    reader = read(data, tmp_path / "data.html")
    assert list(reader.figures) == ["brightness"]
    assert "nearly equal images not sought in images of less than 16 pixels" in reader.words


def test_page_of_files_has_their_sizes_and_what_is_left_out(tmp_path, capsys):
    random = np.random.default_rng(0)
    for number in range(24):
        folder = tmp_path / "photos" / ("cats" if number % 2 else "dogs")
        folder.mkdir(parents=True, exist_ok=True)
        height, width = (20, 40) if number < 20 else (16, 16)
        Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(folder / f"{number}.png")
    (tmp_path / "photos/cats/broken.png").write_bytes(b"no image")
    path = tmp_path / "out/data.html"
    name = f"folder:{tmp_path / 'photos'}"
    assert cli.main(["data", name, "--image_size", "16", "16", "--report", str(path)]) == 0
    assert f"report: {path}" in capsys.readouterr().out
    reader = check_page(path.read_text(encoding="utf-8"))
    sizes = reader.figures["sizes"]["data"][0]
    assert (sizes["x"], sizes["y"], sizes["text"]) == ([40, 16], [20, 16], ["20 files", "4 files"])
    assert "24 files of 2 sizes; width / height is 1.00 to 2.00, in the median 2.00" in reader.words
    assert "files left out 1" in reader.words and "broken.png" in reader.words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--report", "."), "--report '.' is no file: give one, such as data.html."),
        (("--report", "data.html", "--augmentation", "flop"), "unknown augmentation 'flop'"),
    ],
)
def test_report_that_cannot_be_written_is_refused_before_data_are_read(complain, options, message):
    assert message in complain(cli, "data", "nowhere", *options)
