"""A keras.Model of the user's own is trained, resumed, measured and exported like the architectures here."""

import shutil
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest

from keras_cnn import TrainingRun, cli, train
from keras_cnn.errors import InputError
from keras_cnn.models.layers import BatchNormalization
from keras_cnn.models.own import (
    of_fixed_size,
    own_stem,
    probabilities_model,
    with_batch_statistics,
)
from keras_cnn.training import run as run_module
from keras_cnn.training import train as train_module
from keras_cnn.training.evaluate import measure

SETTINGS = {"batch_size": 32, "augmentation": "none", "epochs": 2}
layers = keras.layers


@pytest.fixture(autouse=True)
def without_drawings():
    with mock.patch.object(train_module, "tensorboard", lambda *arguments: keras.callbacks.Callback()):
        yield


@pytest.fixture
def on_one_device(one_device):
    with mock.patch.object(run_module, "get_strategy", lambda devices: one_device):
        yield


@pytest.fixture(scope="module")
def pairs(data):
    splits = (data.train, data.validation, data.load_test())
    return tuple((split.images, split.labels) for split in splits)


def net(input_shape=(16, 16, 3), classes=2, units=None, activation=None, scale=1 / 255) -> keras.Model:
    images = keras.Input(input_shape)
    x = layers.Rescaling(scale)(images)
    x = layers.Conv2D(4, 3, strides=2, activation="relu", name="conv")(x)
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    return keras.Model(images, layers.Dense(units or classes, activation=activation)(x), name="half_net")


def compiled(loss="sparse_categorical_crossentropy", metrics=("accuracy",), **options) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = net(**options)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=list(metrics))
    return model


LOGITS = np.array([[2.0, -1.0, 0.5]])
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum()
SIGMOID = 1 / (1 + np.exp(-LOGITS))


@pytest.mark.parametrize(
    ("columns", "end", "expected"),
    [
        (3, list, SOFTMAX),
        (3, lambda: [layers.Softmax()], SOFTMAX),
        (3, lambda: [layers.Activation("softmax"), layers.Dropout(0.5)], SOFTMAX),
        (3, lambda: [layers.Activation("sigmoid")], SIGMOID / SIGMOID.sum()),
        (1, list, np.hstack([1 - SIGMOID[:, :1], SIGMOID[:, :1]])),
        (1, lambda: [layers.Activation("sigmoid")], np.hstack([1 - SIGMOID[:, :1], SIGMOID[:, :1]])),
    ],
)
def test_probabilities_model_of_any_output_sums_to_one(columns, end, expected):
    model = keras.Sequential([keras.Input((columns,)), layers.Identity(), *end()])
    found = probabilities_model(model)
    np.testing.assert_allclose(found(LOGITS[:, :columns].astype("float32")), expected, atol=1e-6)
    assert probabilities_model(found) is found and found.layers[-1].name == "probabilities"


def test_of_fixed_size_keeps_weights_and_compilation():
    images = keras.Input((None, None, 3))
    model = keras.Model(images, layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(images)))
    model.compile("sgd", "mse")
    fixed = of_fixed_size(model, (8, 8, 3))
    assert fixed.input_shape == (None, 8, 8, 3) and fixed.compiled
    x = np.ones((1, 8, 8, 3), "float32")
    np.testing.assert_allclose(fixed(x), model(x), atol=1e-6)


@pytest.fixture(scope="module")
def finished(pairs, one_device, tmp_path_factory) -> TrainingRun:
    """A compiled model that answers logits."""
    model = compiled(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = [weight.copy() for weight in model.get_weights()]
    directory = tmp_path_factory.mktemp("own") / "run"
    with mock.patch.object(run_module, "get_strategy", lambda devices: one_device):
        run = train(model, pairs, directory=directory, **SETTINGS)
    for weight, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)  # a copy is trained
    return run


def test_train_of_a_compiled_model_keeps_its_loss_optimizer_and_outputs(finished, pairs):
    assert finished.settings.architecture == "own model half_net"
    assert finished.settings.label_smoothing == 0
    model, (x, y) = finished.model(), pairs[2]
    assert float(model.optimizer.learning_rate) == pytest.approx(0.003)
    logits = model.predict(x, verbose=0)
    assert logits.min() < 0  # its own outputs
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    assert finished.test()["accuracy"] == measure(probabilities, y)["accuracy"]
    assert finished.test()["loss"] == pytest.approx(model.evaluate(x, y, verbose=0)[0], rel=1e-4)
    stored = keras.saving.load_model(finished.directory / "model.keras")
    np.testing.assert_array_equal(stored.predict(x, verbose=0), logits)


class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_resumed_run_of_a_compiled_model_equals_an_uninterrupted_one(
    finished, pairs, tmp_path, on_one_device
):
    model = compiled(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(KeyboardInterrupt):
        train(model, pairs, directory=tmp_path / "run", callbacks=[Interrupt()], **SETTINGS)
    run = TrainingRun(tmp_path / "run", pairs).resume()
    assert run.history == finished.history
    for weight, expected in zip(run.model().weights, finished.model().weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.slow
def test_train_of_an_uncompiled_function_takes_our_settings_and_its_options(pairs, tmp_path, on_one_device):
    run = train(
        net, pairs, directory=tmp_path / "run", learning_rate=0.01, options={"scale": 0.01}, **SETTINGS
    )
    assert run.settings.architecture == "own model net" and run.settings.label_smoothing == 0.1
    assert run.model().layers[1].scale == 0.01
    assert run.objective == "val_accuracy" and run.score == max(run.history["val_accuracy"])


@pytest.mark.slow
def test_train_with_one_hot_loss_and_objective_of_the_model(pairs, tmp_path, on_one_device):
    metrics = [keras.metrics.CategoricalAccuracy(name="hits"), keras.metrics.AUC(name="auc")]
    model = compiled("categorical_crossentropy", metrics, activation="softmax")
    run = train(
        model, pairs, directory=tmp_path / "auc", objective="val_auc", class_weight="balanced", **SETTINGS
    )
    assert run.objective == "val_auc" and run.score == max(run.history["val_auc"])
    assert "val_auc: " in repr(run)
    other = train(model, pairs, directory=tmp_path / "loss", **{**SETTINGS, "epochs": 1})
    assert other.objective == "val_loss" and other.score == min(other.history["val_loss"])


@pytest.mark.slow
def test_train_of_a_model_with_a_single_output_tells_two_classes_apart(pairs, tmp_path, on_one_device):
    model = compiled("binary_crossentropy", units=1, activation="sigmoid")
    run = train(model, pairs, directory=tmp_path / "run", **SETTINGS)
    x, y = pairs[2]
    expected = np.mean((run.model().predict(x, verbose=0)[:, 0] > 0.5) == y)
    assert run.test()["accuracy"] == pytest.approx(expected)


@pytest.mark.slow
def test_train_of_a_segmentation_model_of_any_size(mask_data, tmp_path, on_one_device):
    images = keras.Input((None, None, 1))
    model = keras.Model(images, layers.Conv2D(2, 3, padding="same")(layers.Rescaling(1 / 255)(images)))
    splits = (mask_data.train, mask_data.validation, mask_data.load_test())
    data = tuple((split.images, split.labels) for split in splits)
    run = train(model, data, directory=tmp_path / "run", epochs=1, learning_rate=0.01)
    assert run.objective == "val_mean_iou" and run.confusion_matrix().sum() == 4 * 24 * 32


@pytest.mark.slow
def test_train_of_a_model_on_two_devices_equals_one(finished, pairs, tmp_path, two_devices):
    model = compiled(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with mock.patch.object(run_module, "get_strategy", lambda devices: two_devices):
        run = train(model, pairs, directory=tmp_path / "run", **{**SETTINGS, "batch_size": 16})
    assert run.test()["accuracy"] == pytest.approx(finished.test()["accuracy"], abs=0.2)
    assert len(run.history["val_accuracy"]) == 2


MODULE = """
import keras, numpy as np
def small(input_shape, classes, width=2):
    return keras.Sequential([
        keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(width), keras.layers.Dense(classes)
    ])
def data():
    random = np.random.default_rng(0)
    y = np.arange(120) % 3
    return random.random((120, 6, 6)) / 3 + y[:, None, None] / 3, y
"""


@pytest.mark.slow
def test_command_trains_a_function_and_resumes_without_its_source(
    tmp_path, monkeypatch, capsys, on_one_device
):
    monkeypatch.chdir(tmp_path)
    Path("my_nets.py").write_text(MODULE)
    words = [
        "--architecture",
        "my_nets:small",
        "--data",
        "my_nets:data",
        "--options.width",
        "4",
        "--epochs",
        "1",
    ]
    assert cli.main(["train", *words]) == 0
    run = TrainingRun("runs/my_nets-data-small-1")
    assert (run.settings.architecture, run.settings.options) == ("my_nets:small", {"width": 4})
    assert [layer.units for layer in run.model().layers[1:]] == [4, 3]
    stored = read_architecture_without_source(run.directory, monkeypatch)
    assert [layer.units for layer in stored.layers[1:]] == [4, 3]
    assert "run: runs/my_nets-data-small-1" in capsys.readouterr().out


def read_architecture_without_source(directory: Path, monkeypatch) -> keras.Model:
    Path("my_nets.py").unlink()
    monkeypatch.delitem(__import__("sys").modules, "my_nets")
    return TrainingRun(directory).model()


@pytest.mark.slow
def test_run_of_an_own_model_is_exported_and_diagnosed(finished, pairs, tmp_path):
    run = TrainingRun(shutil.copytree(finished.directory, tmp_path / "run"), pairs)
    version = run.export(tmp_path / "models", formats=["litert", "onnx"])
    from keras_cnn import Predictor

    predictor = Predictor(version)
    x = pairs[2][0]
    expected = keras.ops.convert_to_numpy(keras.ops.softmax(run.model().predict(x, verbose=0)))
    np.testing.assert_allclose(predictor.probabilities(x), expected, atol=1e-5)
    assert predictor.grad_cam(x[0], "0").shape == (7, 7)
    assert run.diagnose().verdict == "healthy"


class Unregistered(layers.Layer):
    def __init__(self, matrix, **options):  # no get_config
        super().__init__(**options)

    def call(self, inputs):
        return inputs


def subclassed() -> keras.Model:
    class Net(keras.Model):
        def call(self, inputs):
            return inputs

    return Net()


def with_layer(layer) -> keras.Model:
    return keras.Sequential([keras.Input((16, 16, 3)), layer, layers.Flatten(), layers.Dense(2)])


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (lambda: net((8, 8, 3)), {}, r"takes images \(8, 8, 3\), the data have \(16, 16, 3\)"),
        (lambda: net(units=5), {}, r"outputs are \(None, 5\): give one value for each of the 2 classes"),
        (subclassed, {}, "has 0 inputs and 0 outputs: .*wrap a subclassed one"),
        (lambda: with_layer(Unregistered(np.eye(2))), {}, "cannot be saved and loaded again"),
        (
            lambda: with_layer(layers.Lambda(lambda x: x)),
            {},
            r"a `Lambda` layer .*: decorate .* replace Lambda",
        ),
        (
            net,
            {"activation": "gelu"},
            "activation='gelu' has no effect on this model, which is built already",
        ),
        (net, {"options": {"width": 3}}, "options={'width': 3} belong to a function"),
        (
            compiled,
            {"learning_rate": 0.1},
            "learning_rate=0.1 has no effect .* compiled with a loss and an optimizer",
        ),
        (compiled, {"objective": "val_auc"}, "unknown objective 'val_auc'.*val_accuracy, val_loss"),
        (
            compiled,
            {"augmentation": "mixup"},
            "mixes labels, and the model's loss takes the numbers of classes",
        ),
        (
            lambda: compiled(metrics=[keras.metrics.F1Score()]),
            {},
            "metrics cannot be computed with labels that",
        ),
        (lambda: lambda shape: None, {}, r"does not take \(input_shape, classes\)"),
        (lambda: lambda shape, classes: 3, {}, "the function returned a int: return a keras.Model"),
    ],
)
def test_train_refuses_an_own_model_in_one_line(
    make, settings, message, pairs, tmp_path, monkeypatch, on_one_device
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message) as error:
        train(make(), pairs, **{**SETTINGS, **settings})
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_own_stem_is_a_file_name():
    assert own_stem("own model my net/2") == "my-net-2"
    assert own_stem("my.nets:small") == "small" and own_stem("vgg") == "vgg"


def normalized(input_shape=(16, 16, 3), classes=2) -> keras.Model:
    """Two nested models whose weights have the same paths once they are loaded from a file."""
    blocks = [
        keras.Sequential([layers.Conv2D(4, 3, name="conv"), layers.BatchNormalization(name="norm")])
        for _ in range(2)
    ]
    ends = [layers.Flatten(), layers.Dense(classes)]
    return keras.Sequential([keras.Input(input_shape), layers.Rescaling(1 / 255), *blocks, *ends])


@pytest.mark.parametrize("how", [{}, {"optimizer": "adam", "loss": "mse"}])
def test_with_batch_statistics_replaces_layers_and_keeps_weights(how):
    model = normalized()
    if how:
        model.compile(**how)
    copy = with_batch_statistics(model)
    kinds = [type(layer) for layer in copy._flatten_layers()]
    assert BatchNormalization in kinds and layers.BatchNormalization not in kinds
    assert copy.compiled == bool(how)
    for weight, expected in zip(copy.weights, model.weights, strict=True):
        assert weight.name == expected.name
        np.testing.assert_array_equal(weight, expected)
    assert with_batch_statistics(copy) is copy


@pytest.mark.slow
def test_train_of_a_model_with_batch_normalization_validates_with_its_statistics(
    pairs, tmp_path, on_one_device
):
    """After six steps Keras's moving averages, with momentum 0.99, are still near their start."""
    run = train(normalized, pairs, directory=tmp_path / "run", learning_rate=0.01, **SETTINGS)
    assert run.score > 0.8
    model = run.model()
    assert layers.BatchNormalization in [type(layer) for layer in model._flatten_layers()]
    assert run.test()["accuracy"] == np.mean(model.predict(pairs[2][0], verbose=0).argmax(1) == pairs[2][1])
