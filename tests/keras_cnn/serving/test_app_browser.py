"""The page as a browser sees it: headless Chromium uploads, draws, reads a table and is told of mistakes."""

import contextlib
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_cnn.files import write_json
from keras_cnn.records import read_json
from keras_cnn.serving.checksums import write_checksums
from keras_cnn.serving.markdown import WORD_JOINER
from keras_cnn.serving.predictor import Predictor

PICTURE = "![x](http://127.0.0.1:9/x.png) a|b"  # would be fetched from another server
LETTERS = ":red[r] $x$ *i* :smile: www.x.example -> <b>b<b>"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def server(exported, tmp_path_factory):
    """The address of `keras-cnn app` on a folder of one model."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "saved_models" / "halves").mkdir(parents=True)
    (folder / "saved_models" / "halves" / "1").symlink_to(exported)
    write_hostile_model(folder / "saved_models", exported)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_cnn", "app", "--port", str(port)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(100):
        time.sleep(0.2)
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
            break
        except OSError:
            assert process.poll() is None
    yield address
    process.terminate()
    process.wait(timeout=20)


def write_hostile_model(models: Path, exported: Path) -> None:
    """An older model whose classes are Markdown; and folders that are no models."""
    version = models / "hostile" / "1"
    shutil.copytree(exported, version)
    card = read_json(version / "card.json")
    card["classes"] = card["data"]["classes"] = [PICTURE, LETTERS]
    card["data"]["name"] = "folder:/home/me/secret/photos"
    card["limits"] = [f"few images of {PICTURE} in {card['data']['name']}"]
    write_json(version / "card.json", card)
    write_checksums(version)
    os.utime(version / "card.json", (0, 0))
    (models / "bare" / "1").mkdir(parents=True)
    (models / f"odd {LETTERS}" / "²").mkdir(parents=True)


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *CAMERA])
        yield chromium
        chromium.close()


@pytest.fixture
def browser(chromium, server):
    """A new page of the app."""
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(server)
    page.get_by_text("Images from").wait_for()
    yield page
    page.close()


@pytest.fixture
def files(data, tmp_path) -> list[Path]:
    """Three images and a text that is called an image."""
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for path, image in zip(paths[:3], data.load_test().images[:3], strict=True):
        Image.fromarray(image).resize((40, 40)).save(path)
    paths[3].write_text("this is no image")
    return paths


def upload(page, paths) -> None:
    page.locator("input[type=file]").set_input_files(paths)


def test_upload_of_one_then_many_shows_answers_and_a_table(browser, files, exported):
    labels = [found.label for found in Predictor(exported).predict(files[:3])]
    upload(browser, files[0])
    browser.get_by_text("what the net saw: 16 x 16 pixels of 0.png").wait_for()
    browser.get_by_text("red speaks most for").wait_for()
    assert browser.get_by_role("heading", name="Probability").is_visible()
    assert browser.get_by_role("heading", name=labels[0], exact=True).is_visible()
    browser.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth)")
    shot = Image.open(io.BytesIO(browser.screenshot())).convert("RGB")
    assert len(np.unique(np.asarray(shot).reshape(-1, 3), axis=0)) > 200  # the pixels are drawn
    upload(browser, files[1:])
    browser.get_by_text("1 of 4 files could not be read").wait_for()
    with browser.expect_download() as download:
        browser.get_by_text("Download as CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "file,label,probability,error" and len(lines) == 5
    assert [line.split(",")[:2] for line in lines[1:4]] == [[f"{n}.png", labels[n]] for n in range(3)]
    assert lines[4].startswith("3.png,,,") and "is no image" in lines[4]


def test_upload_of_what_is_no_image_shows_an_error_without_traceback(browser, files, tmp_path):
    upload(browser, files[3])
    browser.get_by_text("3.png: the upload is no image of a known format").wait_for()
    assert "Traceback" not in browser.content()
    large = tmp_path / "large.png"
    large.write_bytes(bytes(21 * 2**20))
    upload(browser, large)
    browser.get_by_text("File must be 20.0MB or smaller").wait_for(state="attached")
    assert "Traceback" not in browser.content()


def test_names_of_markdown_are_shown_as_they_are_written_and_fetch_nothing(browser, files, tmp_path):
    fetched = []
    browser.on("request", lambda request: fetched.append(request.url))
    browser.get_by_role("combobox").first.click()
    browser.get_by_role("option", name="hostile").click()
    named = tmp_path / "=1+1 ![y](http:x) $y$ *z*.png"
    shutil.copy(files[0], named)
    upload(browser, named)
    browser.get_by_text("red speaks most for").wait_for()
    browser.get_by_text("The whole card").click()
    browser.locator("table").wait_for()
    text = browser.locator("body").inner_text().replace(WORD_JOINER, "")
    assert text.count(PICTURE) >= 4 and text.count(LETTERS) >= 3
    assert f"16 x 16 pixels of {named.name}" in text
    assert f"odd {LETTERS} is not listed: it holds no version" in text
    assert "bare, version 1 is not listed: it holds no card.json" in text
    assert "on folder:photos;" in text and "secret" not in browser.content()
    assert browser.locator("table").first.locator("tr").count() == 3
    assert browser.locator("a[href^='http'], .katex, [data-testid=stMarkdownColoredText]").count() == 0
    address = browser.url.rstrip("/")
    assert [url for url in fetched if not url.startswith((address, "data:", "blob:"))] == []


@pytest.mark.parametrize(("side", "label"), [("left", "east"), ("right", "west")])
def test_drawing_of_dark_strokes_on_one_side_shows_the_brighter_side(browser, side, label):
    from playwright.sync_api import TimeoutError

    browser.get_by_text("Drawing", exact=True).click()
    canvas = browser.locator("canvas:visible").last
    canvas.wait_for()
    saw = browser.get_by_text("what the net saw: 16 x 16 pixels of the drawing")
    for _ in range(20):  # its script takes hold of the mouse a little later: strokes until then are lost
        blacken(browser.mouse, canvas.bounding_box(), side)
        with contextlib.suppress(TimeoutError):
            saw.wait_for(timeout=1000)
            break
    blacken(browser.mouse, canvas.bounding_box(), side)  # all of that side
    browser.get_by_role("heading", name=label, exact=True).wait_for()


def blacken(mouse, box: dict, side: str) -> None:
    """Strokes up and down over one half of the canvas."""
    half, top, bottom = box["width"] / 2, box["y"] + 4, box["y"] + box["height"] - 4
    start = box["x"] + (half if side == "right" else 0)
    for offset in range(16, int(half), 24):
        mouse.move(start + offset, top)
        mouse.down()
        mouse.move(start + offset, bottom, steps=4)
        mouse.up()


def test_photo_of_the_camera_shows_its_most_probable_class(browser):
    browser.get_by_text("Camera", exact=True).click()
    # before the video has a picture the button does nothing
    browser.wait_for_function("document.querySelector('video')?.readyState >= 2")
    browser.get_by_role("button", name="Take Photo").click()
    browser.get_by_text("what the net saw: 16 x 16 pixels of the photo").wait_for()
    shares = browser.get_by_text(re.compile(r"^(west|east): [0-9.]+%$")).all_inner_texts()
    parts = {name: float(value.rstrip("%")) for name, value in (share.split(": ") for share in shares)}
    assert set(parts) == {"west", "east"} and sum(parts.values()) == pytest.approx(100, abs=0.2)
    assert browser.get_by_role("heading", name=max(parts, key=parts.get), exact=True).is_visible()


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("{own}", "http://{own}", b"101"),
        ("localhost:{port}", "http://localhost:{port}", b"101"),
        ("{own}", "http://evil.example", b"403"),
        ("evil.example", "http://evil.example", b"403"),
        ("evil.example:{port}", "http://evil.example:{port}", b"403"),
        ("evil.example", None, b"403"),
    ],
)
def test_websocket_of_another_site_is_refused(server, host, origin, status):
    own = server.removeprefix("http://")
    names = {"own": own, "port": own.split(":")[1]}
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host.format(**names)}",
        *([f"Origin: {origin.format(**names)}"] if origin else []),
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    with socket.create_connection(tuple(own.split(":")), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        assert connection.recv(12) == b"HTTP/1.1 " + status


@pytest.mark.parametrize(
    "path",
    ["/../../../../etc/passwd", "/app/static/../../../etc/passwd", "/media/..%2f..%2f..%2fetc%2fpasswd"],
)
def test_request_for_a_file_of_the_server_is_not_answered(server, path):
    host, port = server.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:  # urllib would tidy the path
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1") and b"root:" not in answer
