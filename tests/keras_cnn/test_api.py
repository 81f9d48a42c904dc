"""`keras_cnn.train` from Python: arrays in, a finished run out, which can be resumed, exported and diagnosed."""

import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest

import keras_cnn
from keras_cnn import TrainingRun, TrainSettings, train
from keras_cnn.diagnosis import diagnose as diagnose_module
from keras_cnn.errors import InputError
from keras_cnn.records import write_record
from keras_cnn.training import run as run_module
from keras_cnn.training import train as train_module
from keras_cnn.training.evaluate import measure
from tests.report_pages import check_figure, check_page

SMALL = {"blocks": 1, "convolutions": 1, "width": 4, "dense": []}
SETTINGS = {"options": SMALL, "batch_size": 32, "augmentation": "none", "precision": "float32", "epochs": 2}


@pytest.fixture(scope="module", autouse=True)
def on_one_device(one_device):
    with (
        mock.patch.object(run_module, "get_strategy", lambda devices: one_device),
        mock.patch.object(train_module, "tensorboard", lambda *arguments: keras.callbacks.Callback()),
    ):
        yield


@pytest.fixture(scope="module")
def pairs(data):
    """(x, y) of train, validation and test."""
    splits = (data.train, data.validation, data.load_test())
    return tuple((split.images, split.labels) for split in splits)


@pytest.fixture(scope="module")
def finished(pairs, tmp_path_factory) -> TrainingRun:
    return train("vgg", pairs, directory=tmp_path_factory.mktemp("api") / "run", **SETTINGS)


def test_train_on_arrays_returns_a_run_with_all_that_was_measured(finished, pairs):
    x, y = pairs[2]
    model = finished.model()
    measured = measure(model.predict(x, verbose=0), y)
    assert finished.test()["accuracy"] == measured["accuracy"] > 0.6
    np.testing.assert_array_equal(finished.confusion_matrix(), measured["confusion"])
    assert finished.score == max(finished.history["val_accuracy"])
    assert len(finished.history["loss"]) == finished.settings.epochs == 2
    assert (finished.settings.data, finished.facts.classes) == ("arrays", ("0", "1"))
    names = ("report.html", "curves.png", "confusion_matrix.png", "test.png", "model.keras", "epochs.csv")
    assert all((finished.directory / name).stat().st_size for name in names)


def test_report_of_a_run_has_what_was_measured_and_what_was_found_since(finished, tmp_path):
    directory = shutil.copytree(finished.directory, tmp_path / "run")
    test, before = finished.test(), (directory / "test.json").read_bytes()
    reader = check_page((directory / "report.html").read_text(encoding="utf-8"))
    assert list(reader.figures) == [
        *("curve-1", "curve-2", "rate", "time", "memory", "confusion", "classes", "calibration")
    ]
    for figure in reader.figures.values():
        check_figure(figure)
    assert reader.figures["confusion"]["data"][0]["customdata"] == test["confusion"]
    assert f"test accuracy {test['accuracy']:.4f} (95 % interval" in reader.words
    assert len(reader.figures["time"]["data"][0]["y"]) == 2
    wrong = round((1 - test["accuracy"]) * test["images"])
    assert f"Of {wrong} wrong answers" in reader.words and "neither diagnosed nor watched" in reader.words
    health = {"reason": "", "steps": 12, "findings": [{"name": "dead_units", "message": "<i>80 %</i>"}]}
    write_record(directory / "health.json", health)
    assert TrainingRun(directory, finished._data).report() == directory / "report.html"
    reader = check_page((directory / "report.html").read_text(encoding="utf-8"))
    assert "1 findings in 12 steps dead_units <i>80 %</i>" in reader.words
    assert (directory / "test.json").read_bytes() == before


def test_run_is_shown_in_a_few_lines(finished):
    text = repr(finished)
    assert text.startswith("TrainingRun\n  directory: ") and len(text.splitlines()) == 6
    assert f"val_accuracy: {finished.score:.4f} (epoch {finished.best_epoch} of 2 epochs)" in text
    assert "test accuracy: " in text
    html = finished._repr_html_()
    assert html.startswith("<table><caption>TrainingRun</caption>") and "data:image/png;base64,iVBOR" in html


@pytest.mark.slow
def test_train_of_floats_equals_that_of_the_same_pixels(finished, pairs, tmp_path):
    """With statistics of a power of two they are the same numbers to the last bit."""
    floats = tuple((x.astype(np.float32) / 256, y) for x, y in pairs)
    run = train("vgg", keras_cnn.load(floats), directory=tmp_path / "run", **SETTINGS)
    assert run.facts.dtype == "float32" and run.facts.value_range == (0, 1)
    first = [keras.Sequential(one.model().layers[:2]) for one in (finished, run)]
    expected, found = (model(x[:8]) for model, x in zip(first, (pairs[0][0], floats[0][0]), strict=True))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert run.history["val_accuracy"] == finished.history["val_accuracy"]
    np.testing.assert_array_equal(run.confusion_matrix(), finished.confusion_matrix())


@pytest.mark.slow
def test_train_again_in_a_process_repeats_in_the_next_free_directory(finished, pairs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs/arrays-vgg-1").mkdir(parents=True)
    run = train(TrainSettings(architecture="vgg", **SETTINGS), pairs, class_names=["left", "right"])
    assert run.facts.classes == ("left", "right")
    assert str(run.directory) == "runs/arrays-vgg-2"
    assert run.history == finished.history


class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_resumed_run_on_arrays_equals_an_uninterrupted_one(finished, pairs, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train("vgg", pairs, directory=tmp_path / "run", callbacks=[Interrupt()], **SETTINGS)
    run = TrainingRun(tmp_path / "run")
    assert "state: not finished, of 2 epochs: continue with .resume()" in repr(run)
    with pytest.raises(InputError, match="has not finished"):
        run.score  # noqa: B018
    with pytest.raises(InputError, match="arrays in memory, which are not stored: give them again"):
        run.resume()
    turned = tuple((x[:, ::-1], y) for x, y in pairs)
    with pytest.raises(InputError, match=r"is not what .* was trained on: other"):
        run.resume(data=turned)
    run.resume(data=pairs)
    for weight, expected in zip(run.model().weights, finished.model().weights, strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert run.history == finished.history
    assert run.test() == finished.test()


@pytest.mark.slow
def test_resume_of_a_finished_run_trains_it_longer(finished, pairs, tmp_path):
    run = TrainingRun(shutil.copytree(finished.directory, tmp_path / "run"), pairs)
    with pytest.raises(InputError, match="has finished all its 2 epochs"):
        run.resume()
    assert run.resume(epochs=3) is run
    assert len(run.history["loss"]) == run.settings.epochs == 3


def test_run_is_diagnosed_with_its_best_weights(finished):
    with mock.patch.object(diagnose_module, "diagnose", lambda model, data, batch_size: (model, data)):
        model, (x, y) = finished.diagnose()
    np.testing.assert_array_equal(model.get_weights()[0], finished.model().get_weights()[0])
    assert x.shape == (192, 16, 16, 3) and len(y) == 192 and model.compiled


@pytest.mark.slow
def test_run_on_arrays_is_exported_in_other_formats(finished, tmp_path):
    version = finished.export(tmp_path / "models", formats=["litert"])
    assert (version / "model.tflite").exists()
    predictor = keras_cnn.Predictor(version)
    assert predictor.classes == ("0", "1")


@pytest.mark.slow
def test_model_file_loads_in_stock_keras_and_predicts_the_same(finished, pairs, tmp_path):
    images = pairs[2][0]
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys; sys.modules['keras_cnn'] = None\n"
        "import keras, numpy as np\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "np.save('found.npy', model.predict(np.load('images.npy'), verbose=0))\n"
    )
    path = (finished.directory / "model.keras").resolve()
    subprocess.run([sys.executable, "-c", code, path], cwd=tmp_path, check=True, capture_output=True)
    expected = finished.model().predict(images, verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (("vgg",), {}, r"no data: give them as in train\(model, \(x, y\)\)"),
        ((3, "digits"), {}, "model is a int: give the name of an architecture"),
        (("vgq", "digits"), {}, "unknown architecture 'vgq'. Did you mean 'vgg'"),
        (("vgg", "digits"), {"lr": 1}, "unknown setting 'lr'. Did you mean 'learning_rate'"),
        (("vgg", "digits"), {"epochs": "5"}, "epochs='5' is a str; allowed: int"),
        (("vgg", "digits"), {"batch_norm": 1}, "batch_norm=1 is a int; allowed: bool"),
        (("vgg", "digits"), {"image_size": 8}, "image_size=8 is a int; allowed: tuple"),
        (("vgg", "digits"), {"learning_rate": -1}, "learning_rate=-1 must be above 0"),
        (("vgg", (np.zeros((4, 8, 8)), [0, 1])), {}, "4 train images and 2 labels"),
    ],
)
def test_train_refuses_in_one_line_and_writes_nothing(arguments, settings, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message) as error:
        train(*arguments, **settings)
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_train_takes_the_load_arguments_of_loaded_data(pairs, tmp_path):
    data = keras_cnn.load(pairs[0], validation_split=0.3, split_seed=4)
    with pytest.raises(InputError, match=r"validation_split goes to keras_cnn\.load"):
        train("vgg", data, validation_split=0.2, directory=tmp_path / "run")
    with pytest.raises(InputError, match="unknown setting 'class_names'"):
        train("vgg", data, class_names=["left", "right"], directory=tmp_path / "run")
    run = train("vgg", data, directory=tmp_path / "run", **{**SETTINGS, "epochs": np.int64(1)})
    assert (run.settings.validation_split, run.settings.split_seed, run.settings.epochs) == (0.3, 4, 1)
    assert TrainingRun(run.directory, pairs[0]).facts == run.facts
    with pytest.raises(InputError, match="nowhere does not exist"):
        TrainingRun(Path("nowhere"))
