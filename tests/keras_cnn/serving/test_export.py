"""What is exported serves what was measured, where neither Keras nor this project can be imported."""

import json
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.errors import ExportMismatchError, InputError
from keras_cnn.records import write_record
from keras_cnn.serving import export
from keras_cnn.serving.endpoints import write_saved_model
from keras_cnn.training.checkpoint import load_weights, save_weights
from keras_cnn.training.evaluate import measure, predict
from keras_cnn.training.make_model import best_model, make_model
from keras_cnn.training.run_directory import Run, read_run
from tests.keras_cnn.serving.conftest import VGG, copy_run, export_version


def best_of(version):
    """The model that `version` was exported from."""
    run = read_run(version.parents[1] / "run")
    return best_model(run.settings, run.facts, run.directory)


def test_export_of_a_run_serves_its_best_weights(exported, data):
    test, served = data.load_test(), tf.saved_model.load(exported)
    answer = served.signatures["serving_default"](images=tf.constant(test.images))["probabilities"]
    expected = predict(best_of(exported), test)
    np.testing.assert_allclose(answer, expected, atol=1e-6)
    card = json.loads((exported / "card.json").read_text())
    assert card["test"]["accuracy"] == measure(expected, test.labels)["accuracy"]


def test_card_and_readme_describe_the_exported_run(exported, data):
    card = json.loads((exported / "card.json").read_text())
    assert card["classes"] == ["west", "east"]
    assert card["input"]["shape"] == [None, 16, 16, 3]
    assert card["settings"]["augmentation"] == "crop"
    assert card["data"]["mean"] == list(data.facts.mean)
    assert card["provenance"]["packages"]["keras"]
    assert "Of some classes" in card["limits"][2]  # 25 test images of each
    text = (exported / "README.md").read_text()
    assert "west, east" in text and f"accuracy: {card['test']['accuracy']:.4f}" in text
    assert f"| **west** | {' | '.join(map(str, card['test']['confusion'][0]))} |" in text
    assert f"calibration error: {card['test']['calibration_error']:.4f}" in text


@pytest.mark.slow
def test_second_export_of_a_run_is_version_2(converted):
    assert converted.name == "2"
    assert {path.name for path in converted.parent.iterdir()} == {
        "1",
        "2",
        "lock",
    }  # nothing half-written is left


@pytest.mark.slow
def test_export_in_mixed_precision_serves_its_best_weights(data, one_device, tmp_path):
    settings = replace(VGG, precision="mixed_bfloat16")
    Run(tmp_path / "run", settings, data.facts).write()
    model, _, _ = make_model(settings, data, one_device)  # whether it was trained is no matter here
    save_weights(tmp_path / "run" / "best.npz", model)
    metrics = {
        "state": "COMPLETED",
        "score": 0.5,
        "loss": 1.0,
        "best_epoch": 1,
        "seconds": 1.0,
        "parameters": 1,
    }
    write_record(tmp_path / "run" / "metrics.json", metrics)
    version = export_version(tmp_path / "run", data, tmp_path / "models")
    test, served = data.load_test(), tf.saved_model.load(version)
    answer = served.signatures["serving_default"](images=tf.constant(test.images))["probabilities"]
    expected = predict(best_of(version), test)
    np.testing.assert_allclose(answer, expected, atol=1e-3)
    card = json.loads((version / "card.json").read_text())
    assert card["test"]["accuracy"] == measure(expected, test.labels)["accuracy"]


@pytest.mark.slow
def test_export_of_masks_serves_windows_of_the_training_size(exported_masks, mask_data):
    views = mask_data.train.images[:3, :16, :16]
    served = tf.saved_model.load(exported_masks)
    answer = served.signatures["serving_default"](images=tf.constant(views))["probabilities"]
    assert answer.shape == (3, 16, 16, 2)
    np.testing.assert_allclose(answer, best_of(exported_masks).predict(views, verbose=0), atol=1e-6)

    card = json.loads((exported_masks / "card.json").read_text())
    assert (card["task"], card["classes"]) == ("segmentation", ["sky", "disc"])
    assert card["input"]["shape"] == [None, 16, 16, 1] and card["output"]["shape"] == [None, 16, 16, 2]
    assert set(card["test"]["iou"]) == {"sky", "disc"} and "mean_iou" in card["validation"]


@pytest.mark.slow
def test_export_of_a_model_with_other_weights_is_refused(exported, data, tmp_path):
    run, models = copy_run(exported, tmp_path)
    before = sorted(models.iterdir())

    def write_another(model, *arguments):
        model.set_weights([weight + 0.1 for weight in model.get_weights()])
        write_saved_model(model, *arguments)
        load_weights(run / "best.npz", model)

    replaced = mock.patch.object(export, "write_saved_model", write_another)
    with replaced, pytest.raises(ExportMismatchError, match="differs"):
        export_version(run, data, models)
    assert sorted(models.iterdir()) == before


@pytest.mark.parametrize("state", [None, "DIVERGED"])
def test_export_of_an_unfinished_run_is_refused_before_its_test_is_measured(state, exported, data, tmp_path):
    run, models = copy_run(exported, tmp_path)
    for name in ("metrics.json", "test.json"):
        (run / name).unlink()
    if state:
        write_record(run / "metrics.json", {"state": state, "message": "the loss became nan"})
    with pytest.raises(InputError, match="has not finished" if state is None else "ended as DIVERGED"):
        export_version(run, data, models)
    assert not (run / "test.json").exists()


def test_export_does_not_measure_on_other_data_than_those_trained_on(exported, data, tmp_path):
    run, models = copy_run(exported, tmp_path)
    (run / "test.json").unlink()
    other = replace(data, facts=replace(data.facts, classes=("east", "west")))
    with pytest.raises(InputError, match=r"trained on: other classes\. Restore the data"):
        export_version(run, other, models)
    assert not (run / "test.json").exists()


def test_export_of_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not a run"):
        export.export_run(tmp_path, tmp_path / "models")
