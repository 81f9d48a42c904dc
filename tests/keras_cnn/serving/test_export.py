"""What is exported serves what was measured, where neither Keras nor this project can be imported."""

import json
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.errors import InputError
from keras_cnn.files import write_json
from keras_cnn.serving import export
from keras_cnn.serving.endpoints import write_saved_model
from keras_cnn.training.checkpoint import load_weights
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.evaluate import measure, predict
from keras_cnn.training.run_directory import Run
from keras_cnn.training.train import best_model, train

SETTINGS = TrainSettings(
    options={"blocks": 2, "convolutions": 1, "width": 4, "dense": [8]},
    batch_size=16,
    precision="float32",
    epochs=1,
    dropout=0.2,
    augmentation="crop",
)


@pytest.fixture
def finished_run(data, two_devices, tmp_path):
    """A function: trains `settings` on two devices, leaves a run directory, reads its data from memory."""

    def make(settings: TrainSettings, data=data):
        directory = tmp_path / "run"
        Run(directory, settings, data.facts).write()
        result = train(settings, data, directory, strategy=two_devices)
        write_json(
            directory / "metrics.json",
            {"score": result.score, "best_epoch": result.best_epoch, "parameters": result.parameters},
        )
        return directory

    with mock.patch.object(export, "load", lambda **arguments: data):
        yield make


@pytest.mark.parametrize("precision", ["float32", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)])
def test_a_run_becomes_a_numbered_version_with_its_card(finished_run, data, tmp_path, precision):
    settings = replace(SETTINGS, precision=precision)
    directory = finished_run(settings)
    first = export.export_run(directory, tmp_path / "models" / "halves")
    second = export.export_run(directory, tmp_path / "models" / "halves")
    assert (first.name, second.name) == ("1", "2")
    assert {path.name for path in first.parent.iterdir()} == {"1", "2"}  # nothing half-written is left

    model, test = best_model(settings, data.facts, directory), data.load_test()
    served = tf.saved_model.load(first)
    answer = served.signatures["serving_default"](images=tf.constant(test.images))["probabilities"]
    expected = predict(model, test)
    np.testing.assert_allclose(answer, expected, atol=1e-6 if precision == "float32" else 1e-3)

    card = json.loads((first / "card.json").read_text())
    assert card["classes"] == ["left", "right"]
    assert card["input"]["shape"] == [None, 16, 16, 3]
    assert card["test"]["accuracy"] == measure(expected, test.labels)["accuracy"]
    assert card["settings"]["augmentation"] == "crop"
    assert card["data"]["mean"] == list(data.facts.mean)
    assert card["provenance"]["packages"]["keras"]
    assert "Of some classes" in card["limits"][2]  # 25 test images of each
    text = (first / "README.md").read_text()
    assert "left, right" in text and f"accuracy: {card['test']['accuracy']:.4f}" in text
    assert f"| **left** | {' | '.join(map(str, card['test']['confusion'][0]))} |" in text
    assert f"calibration error: {card['test']['calibration_error']:.4f}" in text


@pytest.mark.slow
def test_masks_are_served_for_windows_of_the_size_trained_on(finished_run, mask_data, tmp_path):
    options = {"depth": 2, "width": 4}
    settings = replace(SETTINGS, architecture="unet", options=options, crop_size=(16, 16), batch_size=2)
    directory = finished_run(settings, mask_data)
    with mock.patch.object(export, "load", lambda **arguments: mask_data):
        version = export.export_run(directory, tmp_path / "models" / "discs")
    views = mask_data.train.images[:3, :16, :16]
    served = tf.saved_model.load(version)
    answer = served.signatures["serving_default"](images=tf.constant(views))["probabilities"]
    assert answer.shape == (3, 16, 16, 2)
    expected = best_model(settings, mask_data.facts, directory).predict(views, verbose=0)
    np.testing.assert_allclose(answer, expected, atol=1e-6)

    card = json.loads((version / "card.json").read_text())
    assert (card["task"], card["classes"]) == ("segmentation", ["sky", "disc"])
    assert card["input"]["shape"] == [None, 16, 16, 1] and card["output"]["shape"] == [None, 16, 16, 2]
    assert set(card["test"]["iou"]) == {"sky", "disc"} and "mean_iou" in card["validation"]


def test_a_difference_exports_nothing(finished_run, tmp_path):
    """A SavedModel with another model's weights is found out."""
    directory = finished_run(SETTINGS)

    def write_another(model, *arguments):
        model.set_weights([weight + 0.1 for weight in model.get_weights()])
        write_saved_model(model, *arguments)
        load_weights(directory / "best.npz", model)

    replaced = mock.patch.object(export, "write_saved_model", write_another)
    with replaced, pytest.raises(export.ExportMismatchError, match="differs"):
        export.export_run(directory, tmp_path / "models")
    assert not list((tmp_path / "models").iterdir())


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not a run"):
        export.export_run(tmp_path, tmp_path / "models")
