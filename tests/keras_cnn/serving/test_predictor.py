"""Predictions of files of every kind, and of files that are none, without Keras."""

import csv
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_cnn import cli
from keras_cnn.data.decode import resize_nearest
from keras_cnn.data.windows import Window, predict_image
from keras_cnn.errors import InputError
from keras_cnn.serving.predictor import Predictor


@pytest.fixture(scope="module")
def predictor(exported) -> Predictor:
    return Predictor(exported.parent)


@pytest.fixture(scope="module")
def image(data) -> np.ndarray:
    return data.load_test().images[0]


def encoded(image: Image.Image | np.ndarray, form: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(stream, form, **options)
    return stream.getvalue()


def only(predictor: Predictor, source, **arguments):
    [found] = predictor.predict([source], **arguments)
    return found


def test_predictor_on_the_test_split_scores_as_its_card(predictor, data):
    test = data.load_test()
    found = list(predictor.predict(list(test.images)))
    accuracy = np.mean(
        [p.label == data.facts.classes[label] for p, label in zip(found, test.labels, strict=True)]
    )
    assert accuracy == pytest.approx(predictor.card["test"]["accuracy"])
    for prediction in found:
        assert prediction.probability == prediction.probabilities.max() == prediction.top[0][1]
        assert [label for label, _ in prediction.top] in (["west", "east"], ["east", "west"])
        assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_predictor_of_file_bytes_and_array_agree(predictor, image, tmp_path):
    (tmp_path / "x.png").write_bytes(encoded(image))
    sources = [image, encoded(image), tmp_path / "x.png", str(tmp_path / "x.png"), encoded(image, "BMP")]
    found = [prediction.probabilities for prediction in predictor.predict(sources)]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
    assert len(only(predictor, image, top=1).top) == 1


def turned(image: np.ndarray, orientation: int) -> bytes:
    """A file of `image` as a camera held otherwise stores it."""
    stored = {3: np.rot90(image, 2), 6: np.rot90(image, 1), 8: np.rot90(image, 3), 2: image[:, ::-1]}[
        orientation
    ]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(np.ascontiguousarray(stored), exif=exif)


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that claims to be of `side` x `side` pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


def odd_but_right(image: np.ndarray) -> dict[str, tuple[bytes | np.ndarray, np.ndarray]]:
    """Name -> a file, and the plain RGB image that it shows."""
    gray = image[..., :1].repeat(3, axis=2)
    alpha = np.full((*image.shape[:2], 1), 255, np.uint8)
    flat = np.full_like(image, 77)
    return {
        "gray": (encoded(gray[..., 0]), gray),
        "16 bits": (encoded(gray[..., 0].astype(np.uint16) * 257), gray),
        "RGBA": (encoded(np.concatenate([image, alpha], axis=2)), image),
        "transparent": (encoded(np.concatenate([image, 0 * alpha], axis=2)), np.full_like(image, 255)),
        "animated": (
            encoded(
                Image.fromarray(gray[..., 0]), "GIF", save_all=True, append_images=[Image.new("L", (16, 16))]
            ),
            gray,
        ),
        "TIFF": (encoded(image, "TIFF"), image),
        "WebP": (encoded(image, "WEBP", lossless=True), image),
        "PPM": (encoded(image, "PPM"), image),
        "larger": (encoded(flat.repeat(9, axis=0).repeat(5, axis=1)), flat),
        "an array with alpha": (np.concatenate([image, alpha], axis=2), image),
        "a gray array": (gray[..., 0], gray),
        **{f"EXIF {number}": (turned(image, number), image) for number in (2, 3, 6, 8)},
    }


def test_predictor_reads_odd_files_as_they_are_shown(predictor, image):
    for name, (file, shown) in odd_but_right(image).items():
        found = only(predictor, file)
        assert not isinstance(found, InputError), (name, found)
        np.testing.assert_allclose(
            found.probabilities, only(predictor, shown).probabilities, atol=1e-6, err_msg=name
        )
        assert found.seen.shape == (16, 16, 3)


def test_predictor_reads_the_colors_of_a_cmyk_photo(predictor):
    photo = encoded(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG")
    assert only(predictor, photo).seen[8, 8].tolist() == pytest.approx([255, 0, 0], abs=15)


def test_predictor_of_300_damaged_files_raises_nothing(predictor, image):
    """Cut or changed anywhere, empty, text, huge: an error of one line, or a prediction, but no exception."""
    random = np.random.default_rng(0)
    whole = {form: encoded(image, form) for form in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")}
    files = [
        b"",
        b"\0" * 500,
        b"this is no image",
        b"\x89PNG\r\n\x1a\n",
        bomb(20_000),
        bomb(2**31 - 1),
        bomb(0),
    ]
    for content in whole.values():
        files += [content[: int(cut)] for cut in random.integers(1, len(content) - 1, 25)]
        for place in random.integers(0, len(content), 24):
            files.append(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
    assert len(files) > 300
    found = list(predictor.predict(files))
    assert len(found) == len(files)
    for content, result in zip(files, found, strict=True):
        if isinstance(result, InputError):
            assert "\n" not in str(result) and len(str(result)) < 400
        else:
            assert np.isfinite(result.probabilities).all() and result.seen.shape == (16, 16, 3), content[:20]
    assert all(isinstance(result, InputError) for result in found[:7])
    cut = [
        result
        for content, result in zip(files, found, strict=True)
        if content == whole["PNG"][: len(content)]
    ]
    assert all(isinstance(result, InputError) for result in cut[5:])  # nothing is made up for what is missing


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros(4, np.uint8)],
)
def test_predictor_of_arrays_that_are_no_images_answers_an_error(predictor, array):
    assert "an image is uint8" in str(only(predictor, array))


@pytest.mark.slow
def test_predictor_of_masks_takes_images_of_any_size(exported_masks, mask_data):
    predictor = Predictor(exported_masks)
    large = np.tile(mask_data.train.images[0], (2, 2, 1))[:41, :39]
    for source in (large, encoded(large[..., 0]), encoded(large[..., 0].repeat(3).reshape(41, 39, 3))):
        found = only(predictor, source)
        assert found.probabilities.shape == (41, 39, 2)
        expected = predict_image(predictor.probabilities, large, Window((16, 16), (16, 16)))
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
        shares = dict(found.top)
        assert shares["disc"] == pytest.approx(np.mean(found.probabilities.argmax(-1) == 1))
        assert found.label == max(shares, key=shares.get)


def test_predictor_holds_one_decoded_image_at_a_time(predictor):
    """Nine MB of pixels in a file of a few kB: of twelve at once, only the copies of 16x16 are kept."""
    large = encoded(Image.new("RGB", (1500, 2000), (9, 9, 9)))
    tracemalloc.start()
    found = list(predictor.predict([large] * 12))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(prediction.seen.shape == (16, 16, 3) for prediction in found)
    assert peak < 3 * 9_000_000


def test_predictor_decodes_masks_one_at_a_time(mask_predictor):
    taken = []
    sources = (taken.append(number) or np.zeros((8, 8, 1), np.uint8) for number in range(4))
    next(mask_predictor.predict(sources))
    assert taken == [0]


@pytest.mark.parametrize("size", [(9, 9), (5, 7), (12, 3), (2, 2)])
def test_predictor_of_masks_resizes_them_as_training_masks_are(mask_predictor, size):
    """No mask is moved by half a pixel."""
    image = np.zeros((*size, 1), np.uint8)
    image[size[0] // 2 :, size[1] // 2 :] = 255
    found = only(mask_predictor, image)
    expected = resize_nearest((found.seen[..., 0] > 127).astype(np.uint8), size)
    np.testing.assert_array_equal(found.probabilities.argmax(axis=-1), expected)
    assert found.label == "dark"


def test_predictor_works_without_keras(exported, predictor, tmp_path, image):
    (tmp_path / "x.png").write_bytes(encoded(image))
    label = only(predictor, image).label
    code = (
        "import sys; sys.modules['keras'] = None\n"
        "from keras_cnn.serving.predictor import Predictor\n"
        "[found] = Predictor(sys.argv[1]).predict([sys.argv[2]])\n"
        "assert 'tuning' not in sys.modules; print(found.label)"
    )
    command = [sys.executable, "-c", code, exported, tmp_path / "x.png"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == label


def test_predictor_of_a_folder_without_a_model_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=r"is no exported model.*export RUN"):
            Predictor(path)


def test_predictor_of_a_damaged_model_is_refused_in_one_line(exported, tmp_path):
    shutil.copytree(exported, tmp_path / "1")
    (tmp_path / "1" / "SHA256SUMS").unlink()  # as of an older version; with it, `test_checksums`
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"cannot be loaded: .*Export it again") as error:
        Predictor(tmp_path)
    assert "\n" not in str(error.value)
    for content, message in (
        ('{"classes": 3}', "is not complete"),
        ("[]", "is damaged .*a list instead of a JSON object"),
        ("{", "is damaged"),
    ):
        (tmp_path / "1" / "card.json").write_text(content)
        with pytest.raises(InputError, match=message):
            Predictor(tmp_path)


def test_predict_command_writes_a_formula_as_text_and_refuses_a_pipe(
    exported, image, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("=1+1.png").write_bytes(encoded(image))
    os.mkfifo("pipe.png")
    assert cli.main(["predict", str(exported), "=1+1.png", "pipe.png", "--csv"]) == 2
    printed = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert rows[0]["file"] == "'=1+1.png" and rows[0]["label"] in ("west", "east")
    assert "'pipe.png' is a named pipe" in rows[1]["error"] and printed.err.count("\n") == 1


@pytest.mark.slow
def test_predict_command_of_files_some_broken_answers_the_others(
    exported, predictor, image, keras_cnn, tmp_path, monkeypatch, capsys
):
    (tmp_path / "photos" / "more").mkdir(parents=True)
    for name, content in {
        "a.png": encoded(image),
        "more/b.jpg": encoded(image, "JPEG"),
        "c.png": b"nothing",
    }.items():
        (tmp_path / "photos" / name).write_bytes(content)
    run = keras_cnn("predict", exported, "photos", "--json", folder=tmp_path)
    assert run.returncode == 2 and "1 of 3 files could not be read: 'photos/c.png'" in run.stderr
    assert run.stderr.startswith("error: ") and run.stderr.count("\n") == 1
    rows = {row.pop("file"): row for row in json.loads(run.stdout)}
    assert list(rows) == ["photos/a.png", "photos/c.png", "photos/more/b.jpg"]
    assert list(rows["photos/c.png"]) == ["error"]
    best = rows["photos/a.png"]["top"][0]
    assert best == {
        "label": rows["photos/a.png"]["label"],
        "probability": rows["photos/a.png"]["probability"],
    }
    assert best["label"] == only(predictor, image).label
    assert best["probability"] == pytest.approx(only(predictor, image).probability, abs=1e-6)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["predict", str(exported), "photos/a.png", "--csv"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    [row] = csv.DictReader(io.StringIO(printed.out))
    assert row["label"] == best["label"] and float(row["probability"]) == only(predictor, image).probability


@pytest.mark.slow
def test_predict_command_with_masks_writes_them(exported_masks, mask_data, tmp_path, monkeypatch, capsys):
    (tmp_path / "disc.png").write_bytes(encoded(mask_data.train.images[0][..., 0]))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["predict", str(exported_masks), "disc.png", "--masks", "out"]) == 0
    assert "disc.png  sky 0." in capsys.readouterr().out
    mask = np.asarray(Image.open(tmp_path / "out" / "disc.png"))
    assert mask.shape == (24, 32) and set(np.unique(mask)) == {0, 1}
