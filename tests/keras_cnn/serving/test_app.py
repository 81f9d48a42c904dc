"""The page: its logic in Streamlit's AppTest, and how it is started."""

import io
import os
import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from keras_cnn import cli
from keras_cnn.cli import app as app_command
from keras_cnn.cli.app import allowed_hosts
from keras_cnn.data import sources
from keras_cnn.errors import InputError
from keras_cnn.files import write_json
from keras_cnn.records import read_json
from keras_cnn.serving.app import answer
from keras_cnn.serving.app import page as page_script
from keras_cnn.serving.checksums import write_checksums
from keras_cnn.serving.markdown import escape
from keras_cnn.serving.predictor import Predictor
from keras_cnn.serving.versions import exported_models, find_version


def png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image.squeeze()).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def opened(monkeypatch):
    """A function: the page on a folder of models, run once."""

    def open_page(models: Path) -> AppTest:
        monkeypatch.setattr(sys, "argv", ["app.py", str(models)])
        st.cache_resource.clear()
        opened = AppTest.from_file(page_script.__file__, default_timeout=60).run()
        assert not opened.exception
        return opened

    return open_page


@pytest.fixture
def models(exported, tmp_path) -> Path:
    """A folder of one model, with two versions."""
    (tmp_path / "halves").mkdir()
    for number in "12":
        (tmp_path / "halves" / number).symlink_to(exported)
    return tmp_path


@pytest.fixture(scope="module")
def answers(exported, data) -> list[str]:
    """The labels of the first test images."""
    found = [prediction.label for prediction in Predictor(exported).predict(data.load_test().images[:8])]
    assert set(found) == {"west", "east"}
    return found


def texts(elements) -> str:
    return "\n".join(str(element.value) for element in elements)


def captions(page: AppTest) -> list[str]:
    """Of the pictures."""
    return [picture.caption for element in page.get("image") for picture in element.proto.imgs]


def test_page_without_a_model_shows_how_to_make_one(opened, tmp_path):
    page = opened(tmp_path)
    assert page.title[0].value == "No model yet"
    assert "make search" in texts(page.code) and "keras-cnn export" in texts(page.code)


def test_page_with_an_uploaded_image_shows_its_label(opened, models, data, answers):
    page = opened(models)
    assert page.sidebar.selectbox[0].options == ["halves", "halves, version 1"]
    image, label = data.load_test().images[0], answers[0]
    page.file_uploader[0].set_value(("x.png", png(image), "image/png")).run()
    assert not page.exception and not page.error
    assert page.subheader[0].value == label
    assert page.main.selectbox[0].options[0] == label
    assert captions(page)[0] == f"what the net saw: 16 x 16 pixels of {escape('x.png')}"
    assert page.main.selectbox[0].label == "Where it sees (Grad-CAM)"
    assert "test images" in page.metric[0].label


@pytest.mark.slow
def test_page_with_an_upload_that_is_no_image_shows_an_error(opened, models):
    page = opened(models)
    page.file_uploader[0].set_value(("x.png", b"nothing", "image/png")).run()
    assert not page.exception and escape("x.png: the upload is no image") in page.error[0].value


@pytest.mark.slow
def test_page_with_many_images_shows_a_table(opened, models, data, answers):
    page = opened(models)
    files = [(f"{n}.png", png(image), "image/png") for n, image in enumerate(data.load_test().images[:3])]
    page.file_uploader[0].set_value([*files, ("bad.png", b"nothing", "image/png")]).run()
    assert not page.exception
    assert page.warning[0].value.startswith("1 of 4 files could not be read")
    table = page.main.dataframe[0].value
    assert table["file"].tolist() == ["0.png", "1.png", "2.png", "bad.png"]
    assert table["label"][:3].tolist() == answers[:3] and "is no image" in table["error"][3]


@pytest.mark.slow
def test_page_with_test_images_shows_their_true_class(opened, models, data, answers, monkeypatch):
    monkeypatch.setattr(sources, "load", lambda **arguments: data)
    page = opened(models)
    page.radio[0].set_value("Test images").run()
    assert not page.exception
    for row in (0, 7):
        page.number_input[0].set_value(row).run()
        truth = data.facts.classes[data.load_test().labels[row]]
        shown = page.success if answers[row] == truth else page.warning
        assert texts(shown) == f"The true class is {truth}."
        assert captions(page)[0].endswith(f"of test image {row}")


@pytest.mark.slow
def test_page_without_the_data_shows_why_there_are_no_test_images(opened, models, monkeypatch):
    def missing(**arguments):
        raise InputError("there is no folder '/home/me/photos'.")

    monkeypatch.setattr(sources, "load", missing)
    page = opened(models)
    page.radio[0].set_value("Test images").run()
    assert not page.exception and "cannot be read here" in page.info[0].value
    assert "photos" not in page.info[0].value  # which folders there are is not for visitors


@pytest.mark.slow
def test_page_with_a_mask_model_shows_the_mask_over_the_image(opened, exported_masks, mask_data, tmp_path):
    (tmp_path / "discs").mkdir()
    (tmp_path / "discs" / "1").symlink_to(exported_masks)
    page = opened(tmp_path)
    page.file_uploader[0].set_value(("x.png", png(mask_data.train.images[0]), "image/png")).run()
    assert not page.exception and page.metric[0].label.startswith("mean iou")
    assert [title.value for title in page.subheader][1:] == ["Share of the pixels", "Mask"]


@pytest.mark.slow
def test_page_with_a_damaged_model_shows_an_error(opened, tmp_path):
    (tmp_path / "torn" / "1").mkdir(parents=True)
    (tmp_path / "torn" / "1" / "card.json").write_text('{"classes"')
    page = opened(tmp_path)
    assert "This model cannot be loaded" in page.error[0].value


@pytest.mark.parametrize(("side", "expected"), [(1, 320), (28, 308), (320, 320), (1000, 320)])
def test_enlarged_picture_fits_the_page(side, expected):
    assert answer.enlarged(np.zeros((side, side, 3), np.uint8)).shape == (expected, expected, 3)
    assert answer.enlarged(np.zeros((2000, 1, 1), np.uint8)).shape == (320, 1, 1)


def test_exported_models_are_listed_newest_first(tmp_path):
    for name, seconds in (("b/1", 300), ("b/2", 200), ("a/1", 100), ("c/1", 250)):
        card = tmp_path / name / "card.json"
        card.parent.mkdir(parents=True)
        card.write_text("{}")
        os.utime(card, (seconds, seconds))
    assert list(exported_models(tmp_path)[0]) == ["b, version 1", "c", "b", "a"]
    assert exported_models(tmp_path / "nowhere") == ({}, {})


def test_version_10_is_newer_than_version_9(tmp_path):
    for number in (9, 10):
        (tmp_path / "model" / str(number)).mkdir(parents=True)
        (tmp_path / "model" / str(number) / "card.json").write_text("{}")
    newest = tmp_path / "model" / "10"
    assert find_version(tmp_path / "model") == newest == exported_models(tmp_path)[0]["model"]


def test_folders_that_hold_no_model_are_named_and_hide_no_other(tmp_path):
    for name in ("good/1", "odd/²", "odd/٣", "bare/7", "half/1", "half/2", "empty", ".writing-x"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("good/1", "half/1", "odd/²"):
        (tmp_path / name / "card.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("a file")
    models, problems = exported_models(tmp_path)
    assert models.keys() == {"good", "half"} and models["half"] == tmp_path / "half" / "1"
    assert problems == {
        "bare, version 7": "it holds no card.json",
        "half, version 2": "it holds no card.json",
        "odd": "it holds no version, a folder named 1, 2, ...",
        "empty": "it holds no version, a folder named 1, 2, ...",
    }
    assert find_version(tmp_path / "half") == tmp_path / "half" / "1"


@pytest.mark.slow
def test_page_names_a_folder_that_is_no_model_and_shows_the_others(opened, models):
    (models / "![x](http://x.example/y)" / "²").mkdir(parents=True)
    page = opened(models)
    assert page.sidebar.selectbox[0].options == ["halves", "halves, version 1"]
    assert page.sidebar.warning[0].value.startswith(r"!\[x\](http\:")
    assert "is not listed" in page.sidebar.warning[0].value and not page.exception


NAMES = ("![x](http://127.0.0.1:9/x.png) | *a*", ":red[west] $x$ <b>w</b>")


@pytest.fixture
def hostile(exported, tmp_path) -> Path:
    """A folder of one model, with classes that are Markdown, of data in a folder of this machine."""
    version = tmp_path / "hostile" / "1"
    shutil.copytree(exported, version)
    card = read_json(version / "card.json")
    card["classes"] = card["data"]["classes"] = NAMES
    card["data"]["name"] = "folder:/home/me/secret/photos"
    card["limits"] = [f"measured on {card['data']['name']}", f"few of {NAMES[0]}"]
    write_json(version / "card.json", card)
    (version / "README.md").write_text("![x](http://127.0.0.1:9/of-the-file.png)")
    write_checksums(version)
    return tmp_path


@pytest.mark.slow
def test_page_escapes_names_wherever_it_shows_them(opened, hostile, data):
    page = opened(hostile)
    image = png(data.load_test().images[0])
    page.file_uploader[0].set_value(("=a|![y](http://127.0.0.1:9/y.png).png", image, "image/png")).run()
    assert not page.exception and not page.error
    shown = [texts(elements) for elements in (page.markdown, page.caption, page.subheader, page.success)]
    shown += captions(page) + [element.proto.text for element in page.get("progress")]
    text = "\n".join(shown)
    assert page.subheader[0].value in map(escape, NAMES) and text.count(escape(NAMES[0])) >= 4
    for markdown in ("![x]", "x](", ":red[", " <b>", "http://", " $x$"):
        assert markdown not in text
    assert "secret" not in text and escape("folder:photos") in text
    assert set(page.main.selectbox[0].options) == set(NAMES)  # no Markdown there


@pytest.mark.slow
def test_page_with_a_card_that_is_not_complete_shows_which_part_is_missing(opened, models, exported):
    shutil.copytree(exported, models / "torn" / "1")
    write_json(models / "torn" / "1" / "card.json", {"classes": ["a", "b"]})
    write_checksums(models / "torn" / "1")
    page = opened(models)
    page.sidebar.selectbox[0].set_value("torn").run()
    assert "is not complete" in page.error[0].value and str(models) not in page.error[0].value
    page.sidebar.selectbox[0].set_value("halves").run()
    assert not page.error and page.metric


def test_page_refuses_masks_that_would_fill_the_memory(mask_predictor, monkeypatch):
    monkeypatch.setattr(answer, "MAX_MASK_VALUES", 2 * 100)
    small, large = np.zeros((10, 10, 1), np.uint8), np.zeros((10, 11, 1), np.uint8)
    found = list(answer.answers(mask_predictor, [small, png(large), b"nothing", large]))
    assert found[0].probabilities.shape == (10, 10, 2)
    assert "10 x 11 pixels are too many for this page, which takes up to 100" in str(found[1])
    assert "is no image" in str(found[2]) and isinstance(found[3], InputError)


def test_reduced_size_keeps_the_proportions():
    assert answer.reduced((2000, 1000)) == (320, 160) and answer.reduced((20, 10)) == (20, 10)
    assert answer.reduced((5000, 1)) == (320, 1)


def test_server_listens_to_this_machine_unless_given_an_address(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(app_command.os, "execve", lambda *arguments: started.append(arguments))
    assert cli.main(["app", "--models", str(tmp_path)]) == 0
    assert cli.main(["app", "--address", "0.0.0.0", "--port", "9000"]) == 0
    (_, local, _), (_, public, _) = started
    assert "--server.address=127.0.0.1" in local and local[-1] == str(tmp_path)
    assert {"--server.address=0.0.0.0", "--server.port=9000", "--server.maxUploadSize=20"} <= set(public)


def test_server_answers_the_hosts_of_this_machine_and_those_given():
    local = allowed_hosts("127.0.0.1", [])
    assert local == ["127.0.0.1", "::1", "localhost"]
    assert allowed_hosts("192.0.2.7", ["photos.example.com"]) == sorted(
        [*local, "192.0.2.7", "photos.example.com"]
    )
    public = allowed_hosts("0.0.0.0", ["*.example.com"])
    assert {*local, socket.gethostname(), "*.example.com"} <= set(public) and "0.0.0.0" not in public


@pytest.mark.parametrize("host", ["*", "http://a.b", "a.b:8501", "a/b", "a b"])
def test_host_that_is_no_name_and_no_address_is_refused(complain, host):
    assert "must be a name or an address" in complain(cli, "app", "--hosts", host)


def test_server_with_a_wrong_port_or_no_streamlit_is_refused(complain, monkeypatch):
    assert "port=0 must be in 1..65535" in complain(cli, "app", "--port", "0")
    monkeypatch.setattr(app_command.importlib.util, "find_spec", lambda name: None)
    assert "pip install streamlit" in complain(cli, "app")
