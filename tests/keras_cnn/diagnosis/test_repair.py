"""Remedies change what they say and keep the rest; repair claims only what it measured."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_cnn.diagnosis.checks.static import static_findings
from keras_cnn.diagnosis.graph.graph import kernels_of, layers_of
from keras_cnn.diagnosis.graph.hooks import forward_hooks
from keras_cnn.diagnosis.probe.data import sample_of
from keras_cnn.diagnosis.probe.objective import objective_of
from keras_cnn.diagnosis.remedies.remedies import REMEDIES, RepairContext
from keras_cnn.diagnosis.remedies.surgery import hidden, hidden_activations
from keras_cnn.diagnosis.repair import repair
from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from tests.small_nets import spec_of
from tests.untrainable_nets import digits, everything, net

UNTRAINABLE = {"depth": 12, "activation": "sigmoid", "initializer": "glorot_uniform"}


def context(model, rate=1e-2) -> RepairContext:
    sample = sample_of(digits(), 512)
    return RepairContext(model, sample, objective_of(model, sample), rate)


@pytest.mark.parametrize(
    "kind",
    [
        "functional",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("sequential", "nested", "operations")),
    ],
)
@pytest.mark.parametrize("name", REMEDIES)
def test_each_remedy_gives_a_net_that_trains_and_leaves_the_patient_alone(name, kind):
    model = net(depth=4, kind=kind, units=8, activation="tanh", initializer="glorot_uniform")
    model.trainable = name != "unfreeze"
    before = everything(model)
    new = REMEDIES[name](context(model))
    assert new is not None and new is not model
    x, y = digits()
    history = new.fit(x, y, epochs=1, verbose=0).history
    assert new.output_shape == (None, 10) and np.isfinite(history["loss"][0])
    assert any(not np.array_equal(a, b) for a, b in zip(before, everything(new), strict=False))
    for one, other in zip(before, everything(model), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["functional", "nested", "operations"])
def test_activations_and_normalization_change_in_nested_nets_and_operations_too(kind):
    sick = context(net(depth=4, kind=kind, activation="tanh"))
    assert hidden_activations(REMEDIES["activation"](sick)) == ["relu"]
    new = REMEDIES["batch_normalization"](sick)
    found = [layer for layer in layers_of(new) if isinstance(layer, layers.BatchNormalization)]
    assert len(found) == len(hidden(new)) == 4 and hidden_activations(new) == ["tanh"]


class Block(layers.Layer):
    """A layer of one's own, with a hidden layer in it that no remedy can put anything before or after."""

    def __init__(self, activation="sigmoid", initializer="zeros", **options):
        super().__init__(**options)
        self.dense = layers.Dense(16, activation=activation, kernel_initializer=initializer)

    def call(self, x):
        return self.dense(x)


def of_blocks(*blocks) -> keras.Model:
    stack = [layers.Flatten(), *blocks, layers.Dense(10, activation="softmax")]
    model = keras.Sequential([keras.Input((16, 16, 1)), *stack])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def test_what_lies_in_layers_of_ones_own_gets_new_weights_and_nothing_else():
    sick = context(of_blocks(Block(), Block()))
    for name in ("batch_normalization", "activation", "skip_connections", "widen"):
        assert REMEDIES[name](sick) is None
    repaired = repair(sick.model, digits())
    assert repaired.succeeded and repaired.changes[0] in ("initialization", "lsuv")


def test_a_layer_that_cannot_be_copied_is_named():
    class Closed(Block):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def get_config(self):
            raise NotImplementedError("no config")

    with pytest.raises(InputError, match=r"Closed cannot be copied.*no config.*get_config"):
        REMEDIES["lsuv"](context(of_blocks(Closed(print))))


def test_input_normalization_is_that_of_the_data():
    model, (x, y) = net(), digits()
    raw = 40 * x + 7
    sample = sample_of((raw, y), 512)
    new = REMEDIES["input_normalization"](RepairContext(model, sample, objective_of(model, sample), 1e-3))
    wanted = model.predict((raw - sample.x.mean()) / sample.x.std(), verbose=0)
    np.testing.assert_allclose(new.predict(raw, verbose=0), wanted, atol=1e-5)


def test_batch_normalization_stands_between_each_hidden_layer_and_its_activation():
    model = net(depth=3)
    new = REMEDIES["batch_normalization"](context(model))
    names = [layer.name for layer in new.layers]
    for name in ("conv", "dense1", "dense2"):
        assert names.index(f"{name}_bn") == names.index(name) + 1
        np.testing.assert_array_equal(new.get_layer(name).kernel, model.get_layer(name).kernel)
    assert new.get_layer("conv").activation is keras.activations.linear
    assert REMEDIES["batch_normalization"](context(new)) is None


def test_lsuv_gives_each_layer_variance_one():
    model = net(depth=6, initializer=keras.initializers.RandomNormal(0, 1e-3))
    given = context(model)
    new = REMEDIES["lsuv"](given)
    seen = {}
    with forward_hooks(
        new.layers, lambda layer, outputs: seen.update({layer.name: float(tf.math.reduce_std(outputs))})
    ):
        new(given.sample.x[:64], training=True)
    assert [seen[f"dense{index}"] for index in range(1, 6)] == pytest.approx([1] * 5, rel=1e-3)


def test_he_for_rectifiers_and_glorot_for_tanh():
    for activation, deviation in (("relu", (2 / 784 * 4) ** 0.5), ("tanh", (2 / (196 + 400)) ** 0.5)):
        model = net(depth=2, units=400, activation=activation, initializer="zeros")
        kernel = REMEDIES["initialization"](context(model)).get_layer("dense1").kernel.numpy()
        fan_in = kernel.shape[0]
        wanted = (2 / fan_in) ** 0.5 if activation == "relu" else (2 / (fan_in + 400)) ** 0.5
        assert kernel.std() == pytest.approx(wanted, rel=0.05), (activation, deviation)


def depthwise_net(depth: int, kind: str) -> keras.Model:
    """Of depthwise convolutions, or of separable ones, with Keras's he_normal."""
    keras.utils.set_random_seed(0)
    common = {"padding": "same", "activation": "relu", "depthwise_initializer": "he_normal"}
    x = inputs = keras.Input((16, 16, 1))
    x = layers.Conv2D(32, 3, strides=2, activation="relu", kernel_initializer="he_normal")(x)
    for index in range(depth):
        if kind == "depthwise":
            x = layers.DepthwiseConv2D(3, name=f"layer{index}", **common)(x)
        else:
            x = layers.SeparableConv2D(
                32, 3, name=f"layer{index}", pointwise_initializer="he_normal", **common
            )(x)
    x = layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, x)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(("kind", "variance"), [("depthwise", 2 / 9), ("separable", 1 / 9)])
def test_depthwise_kernels_are_drawn_for_the_one_channel_that_they_see(kind, variance):
    """Keras's he_normal counts all 32, so the signal fades by the root of 32 in each layer. After the depthwise kernel
    of a separable convolution comes no ReLU, that would halve the variance."""
    model = depthwise_net(4, kind)
    assert "initializer_too_small" in [finding.name for finding in static_findings(model)]
    for remedy in ("initialization", "lsuv"):
        new = REMEDIES[remedy](context(model))
        assert "initializer_too_small" not in [finding.name for finding in static_findings(new)], remedy
    kernel = kernels_of(REMEDIES["initialization"](context(model)).get_layer("layer0"))[0].numpy()
    assert kernel.std() == pytest.approx(variance**0.5, rel=0.15)
    assert "layer1_bn" in [layer.name for layer in REMEDIES["batch_normalization"](context(model)).layers]


def test_skip_connections_only_where_shapes_allow():
    new = REMEDIES["skip_connections"](context(net(depth=4)))
    assert [layer.name for layer in new.layers if isinstance(layer, layers.Add)] == [
        "dense2_skip",
        "dense3_skip",
    ]
    assert REMEDIES["skip_connections"](context(net(depth=2))) is None


@pytest.mark.parametrize("head", [None, "softmax", "sigmoid", "relu"])
def test_outputs_and_loss_are_made_to_fit(head):
    new = REMEDIES["output_and_loss"](context(net(head=head)))
    x, y = digits()
    probabilities = new.predict(x[:50], verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    wanted = -np.log(probabilities[np.arange(50), y[:50]]).mean()
    assert new.evaluate(x[:50], y[:50], verbose=0)[0] == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "remedies"),
    [
        pytest.param(
            UNTRAINABLE,
            {"batch_normalization", "activation", "lsuv", "initialization", "skip_connections"},
            marks=pytest.mark.slow,
        ),
        ({"initializer": "zeros"}, {"initialization"}),
        ({"rate": 10.0}, {"learning_rate"}),
        ({"bias": -50.0}, {"initialization"}),
    ],
    ids=["deep sigmoid", "zeros", "rate", "dead units"],
)
def test_a_sick_net_is_cured_and_both_are_measured(arguments, remedies):
    model = net(**arguments)
    before = everything(model)
    mended = repair(model, digits(), budget=100)
    assert mended.succeeded and set(mended.changes) <= remedies, str(mended)
    assert mended.after.loss < mended.before.loss and mended.after.accuracy > 0.5 > mended.before.accuracy
    x, y = digits()
    fitted = mended.model.fit(x, y, epochs=8, verbose=0).history["accuracy"][-1]
    assert fitted > 0.7  # the repaired net is handed over untrained, and trains
    for one, other in zip(before, everything(model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_healthy_net_is_left_alone():
    model = net()
    mended = repair(model, digits(), budget=30)
    assert mended.model is model and not mended.changes and not mended.tried and not mended.succeeded


@pytest.mark.slow
def test_no_cure_is_claimed_where_there_is_none():
    x, y = digits()
    mended = repair(net(), (x, np.random.default_rng(0).permutation(y)), budget=40)
    assert not mended.succeeded and mended.tried and "No remedy was measured to help" in str(mended)


@pytest.mark.slow
def test_our_own_nets_can_be_repaired():
    model = build_model(
        spec_of(
            "vgg",
            input_shape=(16, 16, 1),
            classes=10,
            activation="sigmoid",
            kernel_initializer="glorot_uniform",
            batch_norm=False,
            normalization="none",
            options={"blocks": 3, "convolutions": 3, "width": 8},
        )
    )
    mended = repair(model, digits(), budget=80)
    assert mended.succeeded, str(mended)


@pytest.mark.parametrize("whole", [False, True], ids=["numbers of classes", "a number for each"])
def test_a_loss_that_cannot_take_the_labels_is_exchanged(whole):
    x, y = digits()
    y = keras.utils.to_categorical(y, 10) if whole else y
    model = net(loss="sparse_categorical_crossentropy" if whole else "categorical_crossentropy")
    mended = repair(model, (x, y), budget=100)
    assert mended.succeeded and mended.changes == ("output_and_loss",), str(mended)
    assert (mended.before.steps, mended.after.steps) == (0, 100) and "(0 steps)" in str(mended)
    assert mended.before.accuracy < 0.3 and mended.after.accuracy > 0.7
    assert mended.model.fit(x, y, epochs=8, verbose=0).history["accuracy"][-1] > 0.7


def test_where_the_data_are_at_fault_no_net_is_changed():
    x, y = digits()
    with pytest.raises(InputError, match=r"Labels go from 1 to 10.*count classes from 0"):
        repair(net(), (x, y + 1), budget=20)


def test_a_subclassed_net_is_refused_in_one_line():
    with pytest.raises(InputError, match="subclassed"):
        repair(net(kind="subclassed", rate=10.0), digits(), budget=20)
