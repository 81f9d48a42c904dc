"""Exports in other formats: what they take and answer, what is told of them, and what is missing."""

import json
import sys
from unittest import mock

import numpy as np
import pytest

from keras_cnn.data.windows import Window, predict_image
from keras_cnn.errors import ExportMismatchError, InputError
from keras_cnn.serving import export
from keras_cnn.serving.formats import FORMATS, load_litert, load_onnx
from keras_cnn.training.evaluate import measure
from keras_cnn.training.evaluate_masks import measure_masks


def export_all(version, data, formats=tuple(FORMATS)):
    """A further version of the model, from the run beside it."""
    with mock.patch.object(export, "load", lambda **arguments: data):
        run = version.parents[1] / "run"
        return export.export_run(run, version.parent, formats=formats)


@pytest.fixture(scope="module")
def version(exported, data):
    return export_all(exported, data)


def test_the_card_tells_what_each_format_reaches(version, data):
    card = json.loads((version / "card.json").read_text())
    assert list(card["formats"]) == list(FORMATS)
    test = data.load_test()
    for name, told in card["formats"].items():
        path = version / told["file"]
        measured = measure(FORMATS[name].load(path)(test.images), test.labels)
        assert told["accuracy"] == pytest.approx(
            measured["accuracy"], abs=0.021
        )  # by one image, as batches go
        assert told["lost"] == pytest.approx(card["test"]["accuracy"] - told["accuracy"])
        assert told["bytes"] == path.stat().st_size
        assert told["difference"] <= (1e-5 if FORMATS[name].exact else 0.15)
        assert f"{name}: {told['file']}" in (version / "README.md").read_text()
    sizes = {name: told["bytes"] for name, told in card["formats"].items()}
    assert sizes["litert_int8"] < sizes["litert"]


def test_onnx_takes_batches_of_pixels_by_name(version, data):
    import onnxruntime

    session = onnxruntime.InferenceSession(version / "model.onnx")
    (given,), (answer,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("images", "tensor(uint8)", ["batch", 16, 16, 3])
    assert (answer.name, answer.type, answer.shape) == ("probabilities", "tensor(float)", ["batch", 2])


def test_int8_is_integers_from_pixels_to_probabilities(version):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(version / "model_int8.tflite"))
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert given["dtype"] == answer["dtype"] == np.uint8
    assert given["quantization"] == (1.0, 0)  # a pixel is its own quantized value
    kinds = {tensor["dtype"] for tensor in interpreter.get_tensor_details()}
    assert kinds <= {np.uint8, np.int8, np.int32, np.int64}


def test_masks(exported_masks, mask_data):
    version = export_all(exported_masks, mask_data, ("litert_int8", "onnx"))
    card = json.loads((version / "card.json").read_text())
    window = Window((16, 16), (16, 16))
    for name, load in (("onnx", load_onnx), ("litert_int8", load_litert)):
        run = load(version / FORMATS[name].file)
        measured, _ = measure_masks(
            lambda image, run=run: predict_image(run, image, window), mask_data.load_test(), ("sky", "disc")
        )
        assert card["formats"][name]["mean_iou"] == pytest.approx(measured["mean_iou"], abs=1e-3)
    assert abs(card["formats"]["onnx"]["lost"]) < 1e-3


def test_a_format_that_differs_exports_nothing(exported, data):
    before = sorted(exported.parent.iterdir())
    broken = mock.Mock(file="model.onnx", exact=True, packages=())
    broken.write = lambda model, path, images: path.write_bytes(b"")
    broken.load = lambda path: lambda images: np.zeros((len(images), 2), np.float32)
    with (
        mock.patch.dict(FORMATS, {"onnx": broken}),
        pytest.raises(ExportMismatchError, match=r"model\.onnx differs"),
    ):
        export_all(exported, data, ["onnx"])
    assert sorted(exported.parent.iterdir()) == before


def test_what_a_converter_cannot_take_is_told(exported, data):
    broken = mock.Mock(file="model.onnx", exact=True, packages=())
    broken.write = mock.Mock(side_effect=RuntimeError("many\nlines, and No Op registered for Foo"))
    with (
        mock.patch.dict(FORMATS, {"onnx": broken}),
        pytest.raises(InputError, match=r"cannot be written as onnx \(lines, and No Op registered for Foo\)"),
    ):
        export_all(exported, data, ["onnx"])


def test_what_is_unknown_or_missing_is_told_before_anything_is_done(exported, data, monkeypatch):
    with pytest.raises(InputError, match=r"unknown format 'tflite'\. Did you mean 'litert'"):
        export_all(exported, data, ["tflite"])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match="format onnx needs onnxruntime: pip install onnxruntime"):
        export_all(exported, data, ["onnx"])
