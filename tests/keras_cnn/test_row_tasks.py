"""Models of the user's own for several labels an image, and for values: trained, resumed, measured and exported."""

import json
import shutil
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics

from keras_cnn import HealthMonitor, Predictor, TrainingRun, cli, diagnose, load, train
from keras_cnn.errors import InputError
from keras_cnn.models.own import output_model
from keras_cnn.task import MULTI_LABEL, REGRESSION
from keras_cnn.training import run as run_module
from keras_cnn.training import train as train_module
from tests.report_pages import check_page

layers = keras.layers
RANDOM = np.random.default_rng(0)
X = RANDOM.random((160, 6, 6)).astype("float32")
SEVERAL = np.stack([X[:, 0, 0], X[:, 0, 5], X[:, 5, 0]], axis=1) > 0.5  # whether three corners are bright
VALUES = np.stack([1000 * X[:, 0, 0], X[:, 5, 5] - 0.5], axis=1)  # in units of very different size
NAMES = ("corner a", "corner b", "corner c")
SETTINGS = {"batch_size": 32, "epochs": 2}


@pytest.fixture(autouse=True, scope="module")
def on_one_device(one_device):
    with (
        mock.patch.object(run_module, "get_strategy", lambda devices: one_device),
        mock.patch.object(train_module, "tensorboard", lambda *arguments: keras.callbacks.Callback()),
    ):
        yield


def net(input_shape=(6, 6, 1), classes=3, activation=None) -> keras.Model:
    images = keras.Input(input_shape)
    x = layers.Dropout(0.1)(layers.Flatten()(images))
    return keras.Model(images, layers.Dense(classes, activation=activation)(x), name="rows")


def compiled_for_values() -> keras.Model:
    keras.utils.set_random_seed(1)
    model = net(classes=2)
    model.compile(keras.optimizers.Adam(0.1), "huber", metrics=["mae", keras.metrics.R2Score(name="r2")])
    return model


def train_several(directory: Path, **more) -> TrainingRun:
    return train(
        net, (X, SEVERAL), directory=directory, class_names=NAMES, learning_rate=0.1, **SETTINGS | more
    )


def train_values(directory: Path, **more) -> TrainingRun:
    return train(compiled_for_values(), (X, VALUES), directory=directory, **SETTINGS | more)


@pytest.fixture(scope="module")
def several(tmp_path_factory) -> TrainingRun:
    """A function that was not compiled and answers logits."""
    return train_several(tmp_path_factory.mktemp("several") / "run")


@pytest.fixture(scope="module")
def values(tmp_path_factory) -> TrainingRun:
    """A compiled model."""
    return train_values(tmp_path_factory.mktemp("values") / "run")


@pytest.mark.slow
def test_train_of_several_labels_is_measured_by_label(several):
    x, truth = load((X, SEVERAL)).load_test().images, load((X, SEVERAL)).load_test().labels
    logits = several.model().predict(x, verbose=0)
    assert logits.min() < 0  # the model's own outputs
    probabilities, found = 1 / (1 + np.exp(-logits)), several.test()
    expected = metrics.average_precision_score(truth, probabilities, average=None)
    assert list(found["average_precision"]) == list(NAMES) == list(several.facts.classes)
    assert list(found["average_precision"].values()) == pytest.approx(list(expected))
    assert found["binary_accuracy"] == np.mean((logits >= 0) == truth)
    assert found["support"] == dict(zip(NAMES, truth.sum(axis=0), strict=True))
    assert found["loss"] == pytest.approx(float(np.mean(np.logaddexp(0, logits) - truth * logits)), rel=1e-4)
    assert several.settings.loss == "binary_cross_entropy" and several.settings.label_smoothing == 0
    assert several.objective == "val_pr_auc" and several.score == max(several.history["val_pr_auc"])
    assert {"loss", "pr_auc", "binary_accuracy", "val_loss"} <= set(several.history)
    assert (
        "test mean_average_precision: " in repr(several)
        and not (several.directory / "confusion_matrix.png").exists()
    )


def test_train_of_values_is_measured_in_the_units_of_the_labels(values):
    test = load((X, VALUES)).load_test()
    predicted, found = values.model().predict(test.images, verbose=0), values.test()
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(test.labels, predicted), rel=1e-5)
    assert found["rmse"] == pytest.approx(metrics.mean_squared_error(test.labels, predicted) ** 0.5, rel=1e-5)
    assert found["r2"] == pytest.approx(metrics.r2_score(test.labels, predicted), rel=1e-4)
    assert list(found["by_value"]) == ["value0", "value1"]
    assert values.objective == "val_mae" and values.score == min(values.history["val_mae"])
    assert "val_r2" in values.history and all(
        (values.directory / name).exists() for name in ("test.png", "curves.png")
    )
    stored = keras.saving.load_model(values.directory / "model.keras")
    np.testing.assert_array_equal(stored.predict(test.images, verbose=0), predicted)


@pytest.mark.slow
def test_export_of_several_labels_serves_probabilities_of_each(several, tmp_path):
    version = several.export(tmp_path / "models")
    expected = keras.ops.convert_to_numpy(keras.ops.sigmoid(several.model().predict(X[:5], verbose=0)))
    served = tf.saved_model.load(version)
    answer = served.signatures["serving_default"](images=tf.constant(X[:5, ..., None]))
    assert list(answer) == ["probabilities"] and "grad_cam" not in served.signatures
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    png = tf.io.encode_png(np.zeros((6, 6, 1), np.uint8))
    assert set(served.signatures["serve_encoded"](encoded=png[None])) == {"probabilities"}
    predictor = Predictor(version)
    first = next(predictor.predict([X[0]]))
    assert first.label == NAMES[expected[0].argmax()] and len(first.top) == 3
    np.testing.assert_allclose(first.probabilities, expected[0], atol=1e-6)
    card = json.loads((version / "card.json").read_text())
    assert card["output"]["meaning"] == "the probability of each label, whatever the others are"
    assert "| corner a | " in (version / "README.md").read_text()
    with pytest.raises(InputError, match="is for multi_label and has probabilities, not values"):
        predictor.values(X[:1, ..., None])


@pytest.mark.slow
def test_export_of_values_serves_them_in_the_units_of_the_labels(values, tmp_path, capsys):
    version = values.export(tmp_path / "models")
    expected = values.model().predict(X[:5], verbose=0)
    served = tf.saved_model.load(version)
    answer = served.signatures["serving_default"](images=tf.constant(X[:5, ..., None]))
    np.testing.assert_allclose(answer["values"], expected, rtol=1e-4, atol=1e-4)
    predictor = Predictor(version)
    np.testing.assert_allclose(predictor.values(X[:5, ..., None]), expected, rtol=1e-4, atol=1e-4)
    assert next(predictor.predict([X[0]])).values == pytest.approx(
        {"value0": expected[0, 0], "value1": expected[0, 1]}, rel=1e-4, abs=1e-4
    )
    card = json.loads((version / "card.json").read_text())
    assert card["output"]["name"] == "values" and "in the units of the labels" in card["output"]["meaning"]
    file = tmp_path / "black.png"
    file.write_bytes(tf.io.encode_png(np.zeros((6, 6, 1), np.uint8)).numpy())
    (zero,) = predictor.values(np.zeros((1, 6, 6, 1), np.float32))
    capsys.readouterr()  # of the export
    assert cli.main(["predict", str(version), str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["values"] == pytest.approx(
        {"value0": zero[0], "value1": zero[1]}
    )
    assert cli.main(["predict", str(version), str(file), "--csv"]) == 0
    assert capsys.readouterr().out.startswith("file,value0,value1,error")
    with pytest.raises(InputError, match="onnx are for models of probabilities, not of regression"):
        values.export(tmp_path / "models", formats=["onnx"])


class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("name", ["several", "values"])
def test_resumed_run_equals_an_uninterrupted_one(name, request, tmp_path):
    whole, y = request.getfixturevalue(name), {"several": SEVERAL, "values": VALUES}[name]
    begin = {"several": train_several, "values": train_values}[name]
    with pytest.raises(KeyboardInterrupt):
        begin(tmp_path / "run", callbacks=[Interrupt()])
    run = TrainingRun(tmp_path / "run", (X, y)).resume()
    assert run.history == whole.history and run.test() == whole.test()
    for weight, expected in zip(run.model().weights, whole.model().weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.parametrize("name", ["several", "values"])
def test_report_of_rows_has_a_line_for_each_label_or_value(name, request):
    run = request.getfixturevalue(name)
    reader = check_page((run.directory / "report.html").read_text(encoding="utf-8"))
    columns = {"several": "labels average_precision precision recall support", "values": "values mae rmse r2"}
    assert columns[name] in reader.words
    assert all(f" {one} " in reader.words for one in run.facts.classes)
    assert "confusion" not in reader.figures and any("predictions of some" in one for one in reader.labels)


@pytest.mark.slow
def test_train_of_several_labels_takes_mixup_and_any_metric_of_the_model(tmp_path):
    model = net(activation="sigmoid")
    f1 = keras.metrics.F1Score(average="macro", threshold=0.5, name="f1")
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=[f1])
    data = load((X, SEVERAL), class_names=NAMES)
    run = train(model, data, directory=tmp_path / "run", objective="val_f1", augmentation="mixup", **SETTINGS)
    assert run.objective == "val_f1" and run.score == max(run.history["val_f1"])
    test = data.load_test()
    predicted = run.model().predict(test.images, verbose=0)
    assert run.test()["binary_accuracy"] == np.mean((predicted >= 0.5) == test.labels)
    other = train(model, data, directory=tmp_path / "other", **{**SETTINGS, "epochs": 1})
    assert other.objective == "val_loss"


@pytest.mark.slow
def test_train_of_whole_numbers_as_values_by_the_loss_of_the_settings(tmp_path):
    y = np.rint(10 * X[:, 0, 0]).astype(int)
    run = train(net, (X, y), task="regression", directory=tmp_path / "run", learning_rate=0.1, **SETTINGS)
    assert (run.settings.task, run.settings.loss, run.objective) == (
        "regression",
        "mean_squared_error",
        "val_mae",
    )
    assert run.history["rmse"] == pytest.approx(np.sqrt(run.history["loss"]), rel=1e-3)
    assert TrainingRun(run.directory, (X, y)).test() == run.test()


MODULE = """
import keras, numpy as np
def small(input_shape, classes):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(classes)])
def data():
    x = np.random.default_rng(0).random((80, 6, 6))
    return x, (10 * x[:, 0, 0]).astype(int)
"""


@pytest.mark.slow
def test_command_trains_values_of_a_function_and_refuses_to_diagnose_and_explain(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("my_values.py").write_text(MODULE)
    source = ["--data", "my_values:data", "--task", "regression"]
    assert cli.main(["train", "--architecture", "my_values:small", *source, "--epochs", "1"]) == 0
    run = "runs/my_values-data-small-1"
    assert "RMSE" in capsys.readouterr().out and TrainingRun(run).facts.task == "regression"
    assert cli.main(["lr-find", "--architecture", "my_values:small", *source, "--steps", "12"]) == 0
    for command, what in (("diagnose", "a diagnosis"), ("explain", "explain")):
        capsys.readouterr()
        assert cli.main([command, run]) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert f"{what} needs a class for every image or pixel; my_values:data is for regression" in error
    assert cli.main(["data", "my_values:data", "--task", "regression"]) == 0
    assert "my_values:data: regression, 1 values" in capsys.readouterr().out


def softmax_net(input_shape, classes) -> keras.Model:
    return net(input_shape, classes, "softmax")


@pytest.mark.parametrize(
    ("y", "settings", "message"),
    [
        (SEVERAL, {"label_smoothing": 0.1}, "label_smoothing=0.1 does not go with multi_label"),
        (SEVERAL, {"class_weight": "balanced"}, "class_weight='balanced' does not go with multi_label"),
        (SEVERAL, {"balanced": True}, "balanced=True does not go with multi_label"),
        (
            SEVERAL,
            {"loss": "dice"},
            "loss='dice' does not go with multi_label .*: allowed: binary_cross_entropy",
        ),
        (SEVERAL, {"crop_size": (3, 3)}, "does not go with multi_label"),
        (SEVERAL, {"objective": "val_accuracy"}, "unknown objective 'val_accuracy'"),
        (VALUES, {"augmentation": "mixup"}, "augmentation='mixup' does not go with regression .*mix labels"),
        (VALUES, {"augmentation": "flip+cutmix"}, "does not go with regression"),
        (VALUES, {"label_smoothing": 0.1}, "label_smoothing=0.1 does not go with regression"),
        (VALUES, {"balanced": True}, "balanced=True does not go with regression"),
        (VALUES, {"class_weight": "1,2"}, "class_weight='1,2' does not go with regression"),
    ],
)
def test_train_refuses_settings_that_mean_nothing_for_rows(y, settings, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message) as error:
        train(net, (X, y), **settings)
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (
            "vgg",
            SEVERAL,
            "'vgg' is for classification, but arrays is for multi_label, .* bring a keras.Model",
        ),
        ("unet", VALUES, "'unet' is for segmentation, but arrays is for regression, .* bring a keras.Model"),
        (
            lambda shape, classes: net(shape, 2),
            SEVERAL,
            r"\(None, 2\): multi_label takes one for each of the 3 labels",
        ),
        (
            lambda shape, classes: net(shape, 1),
            VALUES,
            r"\(None, 1\): regression takes one for each of the 2 values",
        ),
        (softmax_net, SEVERAL, "ends in a softmax, .*for multi_label end it in a sigmoid or in logits"),
        (softmax_net, VALUES, "ends in a softmax, .*for regression end it in a layer without activation"),
    ],
)
def test_train_refuses_models_that_do_not_fit_rows(model, y, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        train(model, (X, y))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["several", "values"])
def test_run_of_rows_refuses_a_confusion_matrix_and_a_diagnosis(name, request):
    run = request.getfixturevalue(name)
    again = TrainingRun(run.directory, (X, {"several": SEVERAL, "values": VALUES}[name]))
    with pytest.raises(InputError, match=f"a confusion matrix needs a class .* is for {run.facts.task}"):
        again.confusion_matrix()
    with pytest.raises(InputError, match=f"a diagnosis needs a class .* is for {run.facts.task}"):
        again.diagnose()


@pytest.mark.parametrize("y", [SEVERAL, VALUES])
def test_diagnose_refuses_rows(y):
    with pytest.raises(
        InputError, match=r"a diagnosis needs a class for every image or pixel: .* are taken for"
    ):
        diagnose(net(classes=y.shape[1]), (X[..., None], y))
    model = net(classes=y.shape[1])
    model.compile("sgd", "mse")
    with pytest.raises(InputError, match="a diagnosis needs a class"):
        model.fit(X[..., None], y, callbacks=[HealthMonitor((X[..., None], y))], verbose=0)


def test_run_is_refused_other_labels(values, tmp_path):
    run = shutil.copytree(values.directory, tmp_path / "run")
    with pytest.raises(InputError, match=r"is not what .* was trained on: other images, labels or order"):
        TrainingRun(run, (X, VALUES[::-1]))


@pytest.mark.parametrize(
    ("task", "activation", "expected"),
    [
        (MULTI_LABEL, None, lambda z: 1 / (1 + np.exp(-z))),
        (MULTI_LABEL, "sigmoid", lambda z: 1 / (1 + np.exp(-z))),
        (MULTI_LABEL, "hard_sigmoid", lambda z: np.clip(z / 6 + 0.5, 0, 1)),
        (REGRESSION, None, lambda z: z),
        (REGRESSION, "relu", lambda z: np.maximum(z, 0)),
    ],
)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_output_model_answers_what_the_task_means_in_float32(task, activation, expected, policy):
    last = layers.Activation(activation or "linear", dtype=policy)
    model = keras.Sequential([keras.Input((3,)), layers.Identity(), last])
    found = output_model(model, task)
    z = np.array([[-1.5, 0.0, 2.0]], np.float32)
    assert found.outputs[0].dtype == "float32"
    np.testing.assert_allclose(found(z), expected(z), atol=1e-6 if policy == "float32" else 0.01)
    assert output_model(found, task) is found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["several", "values"])
def test_train_of_rows_on_two_devices_measures_all_images(name, tmp_path, two_devices):
    begin = {"several": train_several, "values": train_values}[name]
    with mock.patch.object(run_module, "get_strategy", lambda devices: two_devices):
        run = begin(tmp_path / "run", batch_size=16)
    assert run.test()["images"] == 32 and len(run.history[run.objective]) == 2
    assert np.isfinite(list(run.history.values())).all()


@pytest.mark.slow
def test_page_says_that_it_shows_no_model_of_values(values, tmp_path, monkeypatch):
    from streamlit.testing.v1 import AppTest

    from keras_cnn.serving.app import page

    values.export(tmp_path / "models" / "values")
    monkeypatch.setattr("sys.argv", ["page.py", str(tmp_path / "models")])
    opened = AppTest.from_file(page.__file__, default_timeout=60).run()
    assert not opened.exception
    (error,) = opened.error
    assert error.value.startswith("The page shows models of classes and masks; this one is for regression.")
