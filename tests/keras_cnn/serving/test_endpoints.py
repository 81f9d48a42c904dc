"""A SavedModel answers to the bytes of files as to their pixels."""

import base64
import io
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cnn.data.decode import decode, resize
from keras_cnn.models.build import build_model
from keras_cnn.models.spec import ModelSpec
from keras_cnn.serving.endpoints import decode_and_resize, write_saved_model

OPTIONS = {"blocks": 2, "convolutions": 1, "width": 4, "dense": [8]}


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def encoded(pixels, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer, form, **options)
    return buffer.getvalue()


FILES = {
    "PNG": encoded(noise(40, 30, 3), "PNG"),
    "gray PNG": encoded(noise(40, 30), "PNG"),
    "PNG with alpha": encoded(noise(40, 30, 4), "PNG"),
    "palette PNG": encoded(Image.fromarray(noise(40, 30, 3)).quantize(16), "PNG"),
    "palette PNG with transparency": encoded(
        Image.fromarray(noise(40, 30, 3)).quantize(16), "PNG", transparency=bytes(range(0, 256, 16))
    ),
    "16 bit PNG": encoded(noise(40, 30).astype(np.uint16) * 257, "PNG"),
    "JPEG": encoded(noise(40, 30, 3), "JPEG", quality=90, subsampling=0),
    "gray JPEG": encoded(noise(40, 30), "JPEG"),
    "BMP": encoded(noise(40, 30, 3), "BMP"),
    "GIF": encoded(noise(40, 30, 3), "GIF"),
    "animated GIF": encoded(
        Image.fromarray(noise(40, 30, 3)), "GIF", save_all=True, append_images=[Image.new("RGB", (30, 40))]
    ),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(40, 30), (16, 16), (50, 64)], ids=str)
@pytest.mark.parametrize("kind", FILES)
def test_decode_and_resize_of_bytes_equals_that_of_training(kind, size, channels):
    found = decode_and_resize(tf.constant(FILES[kind]), (*size, channels)).numpy().astype(int)
    expected = resize(decode(FILES[kind], channels), size).astype(int)
    assert found.shape == (*size, channels)
    assert np.abs(found - expected).max() <= (1 if size == (40, 30) else 2)


def test_every_endpoint_gives_the_predictions_of_the_model(tmp_path):
    """`test_matrix` has nets without batch normalization."""
    keras.utils.set_random_seed(0)
    spec = ModelSpec(
        "vgg", (16, 16, 3), 3, batch_norm=True, dropout=0.5, options=OPTIONS, normalization="zero_one"
    )
    model = build_model(spec)
    write_saved_model(model, ["b", "ö", "a"], str(tmp_path / "saved"), whole_images=True)
    loaded = tf.saved_model.load(tmp_path / "saved")
    assert {"serving_default", "serve_encoded", "labels"} <= set(loaded.signatures)
    images = noise(5, 16, 16, 3)
    expected = model.predict(images, verbose=0)
    served = loaded.signatures["serving_default"](images=tf.constant(images))["probabilities"]
    np.testing.assert_allclose(served, expected, atol=1e-6)
    files = tf.constant([encoded(image, "PNG") for image in images])
    answer = loaded.signatures["serve_encoded"](encoded=files)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    names = [name.decode() for name in loaded.signatures["labels"]()["labels"].numpy()]
    assert names == ["b", "ö", "a"]
    assert [name.decode() for name in answer["classes"].numpy()] == [names[i] for i in expected.argmax(1)]


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3, 2])
def test_endpoints_of_float_images_take_floats_and_scale_files(tmp_path, channels):
    shape = (16, 16, channels)
    spec = ModelSpec("vgg", shape, 3, options=OPTIONS, normalization="zero_one", value_range=(-1.0, 1.0))
    model, images = build_model(spec), noise(5, *shape)
    floats = (images / 127.5 - 1).astype(np.float32)
    write_saved_model(model, list("abc"), str(tmp_path / "saved"), True, "float32", (-1.0, 1.0))
    loaded = tf.saved_model.load(tmp_path / "saved")
    expected = model.predict(floats, verbose=0)
    served = loaded.signatures["serving_default"](images=tf.constant(floats))["probabilities"]
    np.testing.assert_allclose(served, expected, atol=1e-6)
    assert ("serve_encoded" in loaded.signatures) == (channels in (1, 3))
    if channels != 2:  # no file has two channels
        files = tf.constant([encoded(image.squeeze(), "PNG") for image in images])
        answer = loaded.signatures["serve_encoded"](encoded=files)
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)


def test_model_of_windows_has_no_endpoint_for_files(tmp_path):
    small = {"depth": 1, "convolutions": 1, "width": 4}
    spec = ModelSpec("unet", (16, 16, 1), 2, normalization="zero_one", options=small)
    write_saved_model(build_model(spec), ["a", "b"], str(tmp_path / "saved"), whole_images=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    assert "serve_encoded" not in loaded.signatures
    assert loaded.signatures["serving_default"](images=tf.constant(noise(2, 16, 16, 1)))[
        "probabilities"
    ].shape == (2, 16, 16, 2)


@pytest.mark.slow
def test_request_in_the_documentation_fits_the_signature(exported):
    """TensorFlow Serving's REST form: a list of instances, each input by its name, bytes as base64."""
    page = (Path(__file__).parents[3] / "docs" / "serving.md").read_text()
    [body] = re.findall(r"curl -d '(.*?)' \\\n", page)
    encoded_file = base64.b64encode(encoded(noise(20, 20, 3), "PNG")).decode()
    request = json.loads(body.replace("'$(base64 -w0 scan.png)'", encoded_file))
    loaded = tf.saved_model.load(exported)
    signature = loaded.signatures[request["signature_name"]]
    columns = {name: [row[name] for row in request["instances"]] for name in request["instances"][0]}
    files = {
        name: tf.constant([base64.b64decode(cell["b64"]) for cell in cells])
        for name, cells in columns.items()
    }
    answer = signature(**files)
    assert answer["probabilities"].shape == (1, 2)
    names = [b"west", b"east"]  # in the order of the class numbers, not of the alphabet
    assert loaded.signatures["labels"]()["labels"].numpy().tolist() == names
    assert answer["classes"].numpy().tolist() == [names[np.argmax(answer["probabilities"])]]
