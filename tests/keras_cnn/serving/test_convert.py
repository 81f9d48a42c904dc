"""Exports in other formats: what they take and answer, what is described of them, and what is missing."""

import contextlib
import json
import sys
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest

from keras_cnn.data.windows import Window, predict_image
from keras_cnn.errors import ExportMismatchError, InputError
from keras_cnn.serving import export
from keras_cnn.serving.convert import write_formats
from keras_cnn.serving.formats import FORMATS, load_litert, load_onnx
from keras_cnn.serving.markdown import escape
from keras_cnn.training.evaluate import measure
from keras_cnn.training.evaluate_masks import measure_masks
from keras_cnn.training.run_directory import read_run
from tests.keras_cnn.serving.conftest import copy_run, export_version


@pytest.mark.slow
def test_card_holds_what_each_format_scores(converted, data):
    version = converted
    card = json.loads((version / "card.json").read_text())
    assert list(card["formats"]) == list(FORMATS)
    test = data.load_test()
    for name, described in card["formats"].items():
        path = version / described["file"]
        measured = measure(FORMATS[name].load(path)(test.images), test.labels)
        assert described["accuracy"] == pytest.approx(
            measured["accuracy"], abs=0.021
        )  # by one image, as batches go
        assert described["lost"] == pytest.approx(card["test"]["accuracy"] - described["accuracy"])
        assert described["bytes"] == path.stat().st_size
        assert described["difference"] <= (1e-5 if FORMATS[name].exact else 0.15)
        assert escape(f"{name}: {described['file']}") in (version / "README.md").read_text()
    sizes = {name: described["bytes"] for name, described in card["formats"].items()}
    assert sizes["litert_int8"] < sizes["litert"]


@pytest.mark.slow
def test_onnx_file_takes_batches_of_pixels_by_name(converted):
    import onnxruntime

    session = onnxruntime.InferenceSession(converted / "model.onnx")
    (given,), (answer,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("images", "tensor(uint8)", ["batch", 16, 16, 3])
    assert (answer.name, answer.type, answer.shape) == ("probabilities", "tensor(float)", ["batch", 2])


@pytest.mark.slow
def test_int8_file_is_integers_from_pixels_to_probabilities(converted):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(converted / "model_int8.tflite"))
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert given["dtype"] == answer["dtype"] == np.uint8
    assert given["quantization"] == (1.0, 0)  # a pixel is its own quantized value
    kinds = {tensor["dtype"] for tensor in interpreter.get_tensor_details()}
    assert kinds <= {np.uint8, np.int8, np.int32, np.int64}


@pytest.mark.slow
def test_formats_of_masks_score_as_their_card_holds(exported_masks, mask_data, tmp_path):
    run, _ = copy_run(exported_masks, tmp_path)
    with without_saved_model():
        version = export_version(run, mask_data, tmp_path / "new", ("litert_int8", "onnx"))
    card = json.loads((version / "card.json").read_text())
    window = Window((16, 16), (16, 16))
    for name, load in (("onnx", load_onnx), ("litert_int8", load_litert)):
        answer = load(version / FORMATS[name].file)
        measured, _ = measure_masks(
            lambda image, answer=answer: predict_image(answer, image, window),
            mask_data.load_test(),
            ("sky", "disc"),
        )
        assert card["formats"][name]["mean_iou"] == pytest.approx(measured["mean_iou"], abs=1e-3)
    assert abs(card["formats"]["onnx"]["lost"]) < 1e-3


@contextlib.contextmanager
def without_saved_model():
    """No SavedModel is written nor served: `test_export` does both."""
    unwritten = mock.patch.object(export, "write_saved_model")
    with unwritten, mock.patch.object(export, "served_difference", return_value=0.0):
        yield


def export_broken(exported, data, folder, form) -> None:
    """Export below folder/new with `form` in the place of ONNX."""
    run, _ = copy_run(exported, folder)
    with without_saved_model(), mock.patch.dict(FORMATS, {"onnx": form}):
        export_version(run, data, folder / "new", ["onnx"])


def test_write_formats_measures_the_test_split(exported, data, tmp_path):
    """A format that always answers the first class is right for all test images, and wrong for many others."""
    form = mock.Mock(file="model.onnx", exact=False, packages=())
    form.write = lambda model, path, images: path.write_bytes(b"")
    form.load = lambda path: lambda images: np.tile(np.float32([0.9, 0.1]), (len(images), 1))
    test = data.load_test()
    first_class = replace(data, load_test=lambda: replace(test, labels=np.zeros_like(test.labels)))
    run = read_run(exported.parents[1] / "run")
    with mock.patch.dict(FORMATS, {"onnx": form}):
        found = write_formats(["onnx"], run, first_class, {"accuracy": 0.75}, tmp_path)["onnx"]
    assert found["accuracy"] == 1.0 and found["lost"] == -0.25


def test_format_that_differs_is_refused_and_nothing_exported(exported, data, tmp_path):
    broken = mock.Mock(file="model.onnx", exact=True, packages=())
    broken.write = lambda model, path, images: path.write_bytes(b"")
    broken.load = lambda path: lambda images: np.zeros((len(images), 2), np.float32)
    with pytest.raises(ExportMismatchError, match=r"model\.onnx differs"):
        export_broken(exported, data, tmp_path, broken)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["lock"]


def test_error_of_a_converter_is_reported_in_one_line(exported, data, tmp_path):
    broken = mock.Mock(file="model.onnx", exact=True, packages=())
    broken.write = mock.Mock(side_effect=RuntimeError("many\nlines, and No Op registered for Foo"))
    message = r"cannot be written as onnx \(lines, and No Op registered for Foo\)"
    with pytest.raises(InputError, match=message):
        export_broken(exported, data, tmp_path, broken)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["lock"]


def test_unknown_format_or_missing_package_is_refused(exported, data, monkeypatch, tmp_path):
    run = exported.parents[1] / "run"
    with pytest.raises(InputError, match=r"unknown format 'tflite'\. Did you mean 'litert'"):
        export_version(run, data, tmp_path / "new", ["tflite"])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match="format onnx needs onnxruntime: pip install onnxruntime"):
        export_version(run, data, tmp_path / "new", ["onnx"])
    assert not (tmp_path / "new").exists()
