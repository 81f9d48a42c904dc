"""Signals of layers equal values computed by hand; the probe restores all variables."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_cnn.diagnosis.graph.layer_signals import measure_signals
from keras_cnn.diagnosis.probe.data import Sample, sample_of
from keras_cnn.diagnosis.probe.objective import objective_of
from keras_cnn.diagnosis.probe.probe import Probe
from tests.untrainable_nets import digits, everything, in_half_precision, net


def prepared(model):
    sample = sample_of(digits(), 512)
    return sample, objective_of(model, sample)


@pytest.mark.parametrize("kind", ["functional", "sequential", "subclassed"])
def test_measure_signals_gradients_equal_those_of_the_loss(kind):
    model = net(kind=kind)
    sample, objective = prepared(model)
    signals = measure_signals(model, sample, objective)
    x, y = sample.x[:64], sample.y[:64]
    kernels = [layer.kernel for layer in model._flatten_layers() if hasattr(layer, "kernel")]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x, training=True)))
    norms = [float(tf.norm(g)) for g in tape.gradient(loss, [kernel.value for kernel in kernels])]
    assert [layer.gradient for layer in signals.kernels] == pytest.approx(norms, rel=1e-4)
    assert signals.loss == pytest.approx(float(loss), rel=1e-5)


def test_measure_signals_separable_convolution_uses_both_kernels():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((16, 16, 1))
    x = layers.SeparableConv2D(4, 3, activation="relu", name="separable")(inputs)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))
    model.compile("adam", "sparse_categorical_crossentropy")
    sample, objective = prepared(model)
    signal = measure_signals(model, sample, objective).kernels[0]
    kernels = [weight.value for weight in model.get_layer("separable").weights[:2]]
    with tf.GradientTape() as tape:
        outputs = model(sample.x[:64], training=True)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(sample.y[:64], outputs))
    for norm, arrays in ((signal.weight, kernels), (signal.gradient, tape.gradient(loss, kernels))):
        assert norm == pytest.approx(np.sqrt(sum(np.sum(array**2) for array in arrays)), rel=1e-4)


def test_measure_signals_float16_gradients_equal_float32(monkeypatch):
    model = net(depth=9, activation="sigmoid", initializer="glorot_uniform")

    def gradients(one):
        return [layer.gradient for layer in measure_signals(one, *prepared(one)).kernels]

    wanted, half = gradients(model), in_half_precision(model)
    assert gradients(half) == pytest.approx(wanted, rel=0.1)
    monkeypatch.setattr("keras_cnn.diagnosis.graph.layer_signals.FLOAT16_LOSS_SCALE", 1.0)
    assert gradients(half)[0] < 0.5 * wanted[0]


def test_measure_signals_dead_and_saturated_units_are_counted():
    keras.utils.set_random_seed(0)
    bias = keras.initializers.Constant(0.0)
    stack = [
        keras.Input((16, 16, 1)),
        layers.Flatten(),
        layers.Dense(8, name="half"),
        layers.Activation("relu", name="relu"),
        layers.Dense(4, activation="tanh", bias_initializer=keras.initializers.Constant(9.0), name="full"),
        layers.Dense(10, activation="softmax", bias_initializer=bias),
    ]
    model = keras.Sequential(stack)
    kernel, _ = model.get_layer("half").get_weights()
    model.get_layer("half").set_weights([kernel, np.array([-1e3] * 4 + [3] * 4)])
    model.get_layer("full").set_weights([0 * model.get_layer("full").get_weights()[0], np.full(4, 9.0)])
    sample, objective = prepared(model)
    by_name = {layer.name: layer for layer in measure_signals(model, sample, objective).layers}
    assert by_name["relu"].dead == 0.5
    assert by_name["full"].saturated == 1 and by_name["full"].std_over_images == 0
    assert by_name["full"].correlation == pytest.approx(1)
    assert by_name["relu"].correlation < 0.99


def test_measure_signals_std_over_images_ignores_differences_between_units():
    keras.utils.set_random_seed(0)
    spread = keras.initializers.RandomNormal(0, 100.0)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Flatten(),
            layers.Dense(8, bias_initializer=spread, name="biased"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    sample, objective = prepared(model)
    by_name = {layer.name: layer for layer in measure_signals(model, sample, objective).layers}
    outputs = keras.Model(model.inputs[0], model.get_layer("biased").output)(sample.x[:64]).numpy()
    wanted = np.sqrt(outputs.var(axis=0).mean())
    assert by_name["biased"].std_over_images == pytest.approx(wanted, rel=1e-4)
    assert wanted < 0.1 * outputs.std()


def test_measure_signals_repeated_layer_kinds_stay_separate():
    x = inputs = keras.Input((16, 16, 1))
    for units in (8, 6):
        x = layers.Dense(units)(layers.Flatten()(x))
        x = layers.Activation("relu")(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    sample, objective = prepared(model)
    relus = [layer for layer in measure_signals(model, sample, objective).layers if layer.kind == "relu"]
    assert len(relus) == 2 and relus[0].variance != relus[1].variance


@pytest.mark.slow
def test_probe_run_restores_all_variables():
    model = net(batch_norm=True)
    sample, objective = prepared(model)
    before, probe = everything(model), None
    probe = Probe(model, sample, objective)
    first, again = probe.run(1e-3), probe.run(1e-3)
    assert first.held_out[-1] < first.held_out[0]
    assert first.losses == again.losses  # the first run leaves no state, not even in the optimizer
    for one, other in zip(before, everything(model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_sample_batches_exclude_held_out_images():
    sample = sample_of(digits(), 512)
    batches = sample.batches(40)
    assert batches.shape == (40, 64) and sample.held_out == 128
    assert batches.max() < len(sample) - sample.held_out
    assert len(np.unique(batches[:6])) == 6 * 64  # no image is repeated before all were used


def test_measure_signals_constant_outputs_have_zero_logit_std():
    model = net(initializer="zeros")
    sample, objective = prepared(model)
    assert measure_signals(model, sample, objective).logit_std < 1e-6


def test_probe_measure_in_parts_equals_whole(monkeypatch):
    sample, objective = prepared(net())
    probe = Probe(net(), sample, objective)
    loss, outputs = probe.measure()
    monkeypatch.setattr("keras_cnn.diagnosis.probe.steps.BATCH_PIXELS", 16 * 16 * 30)
    in_parts, same = probe.measure()
    assert in_parts == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(same, outputs, atol=1e-6)
    masks = Sample(np.zeros((64, 512, 512, 1), "float16"), np.zeros((64, 512, 512), "uint8"), 4)
    assert masks.held_out == 8 and sample.held_out == 128
