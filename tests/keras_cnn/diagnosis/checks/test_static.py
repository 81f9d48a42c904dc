"""Static findings: faults are found with their layer, and healthy models have no findings."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cnn.diagnosis.checks.static import static_findings
from keras_cnn.models.build import build_model
from tests.small_nets import every_architecture, spec_of

LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def net(*stack, shape=(8, 8, 3), loss=None, kind="sequential") -> keras.Model:
    """The same layers as a Sequential, functional, nested or subclassed model."""
    if kind == "sequential":
        model = keras.Sequential([keras.Input(shape), *stack])
    elif kind == "nested":
        inner = net(*stack, shape=shape)
        inputs = keras.Input(shape)
        model = keras.Model(inputs, inner(inputs))
    elif kind == "functional":
        x = inputs = keras.Input(shape)
        for layer in stack:
            x = layer(x)
        model = keras.Model(inputs, x)
    else:
        model = Stack(stack)
        model(np.zeros((1, *shape), "float32"))
    if loss:
        model.compile("adam", loss)
    return model


class Stack(keras.Model):
    def __init__(self, stack):
        super().__init__()
        self.stack = list(stack)

    def call(self, x):
        for layer in self.stack:
            x = layer(x)
        return x


def body() -> list:
    return [layers.Conv2D(4, 3, activation="relu", name="conv"), layers.Flatten()]


def names(model) -> list[str]:
    return [finding.name for finding in static_findings(model)]


every_kind = pytest.mark.parametrize("kind", ["sequential", "functional", "nested", "subclassed"])


@every_architecture
def test_static_findings_own_architectures_have_none(name):
    model = build_model(spec_of(name, normalization="zero_one"))
    model.compile("adam", "sparse_categorical_crossentropy")
    assert set(names(model)) <= {"bias_before_batch_normalization"}  # as published; harmless


@every_kind
@pytest.mark.parametrize(
    ("head", "loss"),
    [
        ([layers.Dense, {"units": 5, "activation": "softmax"}], "sparse_categorical_crossentropy"),
        ([layers.Dense, {"units": 5}], LOGITS),
        ([layers.Dense, {"units": 1, "activation": "sigmoid"}], "binary_crossentropy"),
        ([layers.Dense, {"units": 1}], "mse"),
    ],
)
def test_static_findings_matching_head_and_loss_have_none(kind, head, loss):
    layer, arguments = head
    assert names(net(*body(), layer(**arguments), kind=kind, loss=loss)) == []


HUGE = keras.initializers.RandomNormal(0, 1e5)
# functions, because a layer with random state initializes TensorFlow, and the strategy must be created before
FAULTS = {
    "softmax_twice": (lambda: [layers.Dense(5, activation="softmax"), layers.Softmax(name="s1")], None, "s1"),
    "softmax_of_one": (lambda: [layers.Dense(1, activation="softmax", name="d2")], None, "d2"),
    "relu_output": (lambda: [layers.Dense(5, activation="relu", name="d3")], None, "d3"),
    "tanh_output": (lambda: [layers.Dense(5, activation="tanh", name="d10")], LOGITS, "d10"),
    "binary_loss_for_classes": (lambda: [layers.Dense(5, "softmax", name="d11")], "binary_crossentropy", "d11"),
    "squared_error_for_classes": (lambda: [layers.Dense(5, "softmax", name="d12")], "mse", "d12"),
    "logits_expected": (lambda: [layers.Dense(5, activation="softmax", name="d4")], LOGITS, "d4"),
    "probabilities_expected": (lambda: [layers.Dense(5, name="d5")], "sparse_categorical_crossentropy", "d5"),
    "sigmoid_for_classes": (lambda: [layers.Dense(5, "sigmoid", name="d6")], "categorical_crossentropy", "d6"),
    "too_few_outputs": (lambda: [layers.Dense(1, activation="sigmoid", name="d7")], "categorical_crossentropy", "d7"),
    "constant_kernel": (lambda: [layers.Dense(5, kernel_initializer="zeros", name="d8")], None, "d8"),
    "weights_huge": (lambda: [layers.Dense(5, kernel_initializer=HUGE, name="d9")], None, "d9"),
    "augmentation_inside": (lambda: [layers.RandomFlip(name="flip"), layers.Dense(5)], None, "flip"),
}  # fmt: skip


@every_kind
@pytest.mark.parametrize("name", FAULTS)
def test_static_findings_fault_names_layer(name, kind):
    head, loss, where = FAULTS[name]
    stack = head()
    before = [stack.pop(0), *body()] if name == "augmentation_inside" else body()
    found = {finding.name: finding for finding in static_findings(net(*before, *stack, kind=kind, loss=loss))}
    assert name in found, list(found)
    assert found[name].layer == where
    assert "Suggestion: " in str(found[name]) and found[name].suggestions


@pytest.mark.parametrize("softmax", [keras.ops.softmax, keras.activations.softmax])
def test_static_findings_activation_functions_are_recognized(softmax):
    model = net(*body(), layers.Dense(5))
    once = keras.Model(model.inputs, softmax(model.outputs[0]))
    twice = keras.Model(model.inputs, layers.Softmax()(once.outputs[0]))
    for given, wanted in ((model, ["probabilities_expected"]), (once, []), (twice, ["softmax_twice"])):
        given.compile("adam", "sparse_categorical_crossentropy")
        assert names(given) == wanted
    once.compile("adam", LOGITS)
    assert names(once) == ["logits_expected"]


@every_kind
def test_static_findings_only_bias_before_batch_norm_is_found(kind):
    stack = [
        layers.Conv2D(4, 3, name="biased"),
        layers.BatchNormalization(),
        layers.Conv2D(4, 3, use_bias=False),
        layers.BatchNormalization(),
        layers.Conv2D(4, 3, activation="relu"),
        layers.BatchNormalization(),
    ]
    (finding,) = static_findings(net(*stack, kind=kind))
    assert (finding.name, finding.layer) == ("bias_before_batch_normalization", "biased")


def test_static_findings_shared_initializer_instance_is_found():
    shared = keras.initializers.HeNormal(seed=1)
    model = net(
        *(layers.Conv2D(3, 3, kernel_initializer=shared, padding="same", name=f"c{n}") for n in range(3))
    )
    assert [(f.name, f.layer) for f in static_findings(model)] == [
        ("same_initial_weights", "c1"),
        ("same_initial_weights", "c2"),
    ]
    assert (
        names(net(*(layers.Conv2D(3, 3, kernel_initializer="he_normal", padding="same") for _ in range(3))))
        == []
    )


def test_static_findings_window_on_1x1_maps_is_found():
    stack = [
        layers.MaxPooling2D(8),
        layers.Conv2D(4, 3, padding="same", name="late"),
        layers.Flatten(),
        layers.Dense(5),
    ]
    assert [(f.name, f.layer) for f in static_findings(net(*stack))] == [("image_shrunk_away", "late")]


def test_static_findings_nan_weights_and_frozen_model_are_found():
    model = net(*body(), layers.Dense(5, name="head"))
    kernel, bias = model.get_layer("head").get_weights()
    kernel[0, :2] = np.nan
    model.get_layer("head").set_weights([kernel, bias])
    model.trainable = False
    found = static_findings(model)
    assert {finding.name for finding in found} == {"weights_not_finite", "all_frozen"}
    assert found[0].confidence == 1.0
    (broken,) = [finding for finding in found if finding.numbers]
    assert broken.numbers == {"not_finite": 2} and broken.layer == "head"


def test_static_findings_are_ordered_by_confidence():
    model = net(
        layers.Conv2D(4, 3),
        layers.BatchNormalization(),
        layers.Flatten(),
        layers.Dense(5, kernel_initializer="zeros"),
    )
    assert names(model) == ["constant_kernel", "bias_before_batch_normalization"]


def test_static_findings_custom_and_several_losses_are_ignored():
    assert names(net(*body(), layers.Dense(5), loss=lambda y, p: p)) == []
    inputs = keras.Input((8,))
    model = keras.Model(inputs, [layers.Dense(2)(inputs), layers.Dense(3)(inputs)])
    model.compile("adam", ["mse", "mse"])
    assert names(model) == []
