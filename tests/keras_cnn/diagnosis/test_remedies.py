"""Each remedy changes what its name says and nothing else."""

from functools import cache

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
from keras_cnn.diagnosis.remedies.context import RepairContext
from keras_cnn.diagnosis.remedies.remedies import REMEDIES
from keras_cnn.diagnosis.remedies.surgery import hidden, hidden_activations
from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from tests.small_nets import spec_of
from tests.untrainable_nets import Block, digits, everything, net, of_blocks

# they return None for the models here, whose inputs no layer scales
NEED_A_RESCALING = ("pretrained_inputs", "remove_rescaling")


def context(model, rate=1e-2) -> RepairContext:
    sample = sample_of(digits(), 512)
    return RepairContext(model, sample, objective_of(model, sample), rate)


@cache
def tanh_context(kind: str, trainable: bool = True) -> RepairContext:
    """Created once for all remedies, which do not change it; the VGG of this package if `kind` is vgg."""
    if kind == "vgg":
        options = {"blocks": 2, "convolutions": 1, "width": 4, "dense": [16]}
        changes = {"activation": "tanh", "batch_norm": False, "normalization": "none", "options": options}
        model = build_model(spec_of("vgg", input_shape=(16, 16, 1), classes=10, **changes))
        model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    else:
        model = net(depth=4, kind=kind, units=8, activation="tanh", initializer="glorot_uniform")
    model.trainable = trainable
    return context(model)


@pytest.mark.parametrize(
    "kind",
    [
        "functional",
        *(
            pytest.param(kind, marks=pytest.mark.slow)
            for kind in ("sequential", "nested", "operations", "vgg")
        ),
    ],
)
@pytest.mark.parametrize("name", [name for name in REMEDIES if name not in NEED_A_RESCALING])
def test_remedy_gives_trainable_copy_and_keeps_original(name, kind):
    given = tanh_context(kind, name != "unfreeze")
    before = everything(given.model)
    new = REMEDIES[name](given)
    if kind == "vgg" and name == "skip_connections":
        assert new is None  # no two consecutive layers have one shape
        return
    assert new is not None and new is not given.model
    x, y = digits()
    new.run_eagerly = True
    history = new.fit(x[:128], y[:128], epochs=1, verbose=0).history
    assert new.output_shape == (None, 10) and np.isfinite(history["loss"][0])
    assert any(not np.array_equal(a, b) for a, b in zip(before, everything(new), strict=False))
    for one, other in zip(before, everything(given.model), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["functional", "nested", "operations"])
def test_remedies_apply_to_every_model_kind(kind):
    given = context(net(depth=4, kind=kind, activation="tanh"))
    assert hidden_activations(REMEDIES["activation"](given)) == ["relu"]
    new = REMEDIES["batch_normalization"](given)
    found = [layer for layer in layers_of(new) if isinstance(layer, layers.BatchNormalization)]
    assert len(found) == len(hidden(new)) == 4 and hidden_activations(new) == ["tanh"]


def test_graph_remedies_custom_layers_return_none():
    given = context(of_blocks(Block(), Block()))
    for name in ("batch_normalization", "activation", "skip_connections", "widen"):
        assert REMEDIES[name](given) is None


def test_lsuv_layer_without_config_raises_with_name():
    class WithoutConfig(Block):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def get_config(self):
            raise NotImplementedError("no config")

    with pytest.raises(InputError, match=r"WithoutConfig cannot be copied.*no config.*get_config"):
        REMEDIES["lsuv"](context(of_blocks(WithoutConfig(print))))


def test_input_normalization_uses_data_statistics():
    model, (x, y) = net(), digits()
    raw = 40 * x + 7
    sample = sample_of((raw, y), 512)
    new = REMEDIES["input_normalization"](RepairContext(model, sample, objective_of(model, sample), 1e-3))
    wanted = model((raw - sample.x.mean()) / sample.x.std())
    np.testing.assert_allclose(new(raw), wanted, atol=1e-5)


def test_batch_normalization_is_inserted_before_activations():
    model = net(depth=3)
    new = REMEDIES["batch_normalization"](context(model))
    names = [layer.name for layer in new.layers]
    for name in ("conv", "dense1", "dense2"):
        assert names.index(f"{name}_bn") == names.index(name) + 1
        np.testing.assert_array_equal(new.get_layer(name).kernel, model.get_layer(name).kernel)
    assert new.get_layer("conv").activation is keras.activations.linear
    assert REMEDIES["batch_normalization"](context(new)) is None


def test_lsuv_layer_outputs_have_unit_variance():
    model = net(depth=6, initializer=keras.initializers.RandomNormal(0, 1e-3))
    given = context(model)
    new = REMEDIES["lsuv"](given)
    seen = {}
    with forward_hooks(
        new.layers, lambda layer, outputs: seen.update({layer.name: float(tf.math.reduce_std(outputs))})
    ):
        new(given.sample.x[:64], training=True)
    assert [seen[f"dense{index}"] for index in range(1, 6)] == pytest.approx([1] * 5, rel=1e-3)


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 196), ("tanh", 2 / (196 + 400))])
def test_initialization_suits_activation(activation, variance):
    model = net(depth=2, units=400, activation=activation, initializer="zeros")
    kernel = REMEDIES["initialization"](context(model)).get_layer("dense1").kernel.numpy()
    assert kernel.shape == (196, 400)
    assert kernel.std() == pytest.approx(variance**0.5, rel=0.05)


def depthwise_net(depth: int, kind: str) -> keras.Model:
    """A model of depthwise or separable convolutions with Keras's he_normal."""
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
def test_initialization_depthwise_uses_true_fan_in(kind, variance):
    """Keras's he_normal counts all 32 channels as inputs, so that each layer divides the signal by sqrt(32).

    No ReLU, which would halve the variance, follows the depthwise kernel of a separable convolution.
    """
    model = depthwise_net(4, kind)
    assert "initializer_too_small" in [finding.name for finding in static_findings(model)]
    for remedy in ("initialization", "lsuv"):
        new = REMEDIES[remedy](context(model))
        assert "initializer_too_small" not in [finding.name for finding in static_findings(new)], remedy
    kernel = kernels_of(REMEDIES["initialization"](context(model)).get_layer("layer0"))[0].numpy()
    assert kernel.std() == pytest.approx(variance**0.5, rel=0.15)
    assert "layer1_bn" in [layer.name for layer in REMEDIES["batch_normalization"](context(model)).layers]


def test_skip_connections_only_where_shapes_match():
    new = REMEDIES["skip_connections"](context(net(depth=4)))
    assert [layer.name for layer in new.layers if isinstance(layer, layers.Add)] == [
        "dense2_skip",
        "dense3_skip",
    ]
    assert REMEDIES["skip_connections"](context(net(depth=2))) is None


@pytest.mark.parametrize("head", [None, "softmax", "sigmoid", "relu"])
def test_output_and_loss_match_after_remedy(head):
    new = REMEDIES["output_and_loss"](context(net(head=head)))
    x, y = digits()
    probabilities = np.asarray(new(x[:50], training=False))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    new.run_eagerly = True
    wanted = -np.log(probabilities[np.arange(50), y[:50]]).mean()
    assert new.evaluate(x[:50], y[:50], verbose=0)[0] == pytest.approx(wanted, rel=1e-4)


def test_initialization_draws_layers_whose_biases_were_not_zero():
    given = context(net(bias=-50.0))
    new = REMEDIES["initialization"](given)
    assert not np.any(new.get_layer("dense2").bias) and np.std(new.get_layer("dense2").kernel) > 0.1
    assert not np.array_equal(new.get_layer("dense2").kernel, given.model.get_layer("dense2").kernel)


def test_initialization_draws_the_layers_inside_custom_ones():
    new = REMEDIES["initialization"](context(of_blocks(Block(), Block())))
    assert all(np.std(kernel) > 0 for layer in hidden(new) for kernel in kernels_of(layer))
