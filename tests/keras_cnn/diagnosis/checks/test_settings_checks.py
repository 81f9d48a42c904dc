"""Pretrained bases, schedules, and settings without which a model learns."""

from functools import cache

import keras
import numpy as np
import pytest
from keras import layers, optimizers, regularizers
from keras.optimizers import schedules

from keras_cnn.diagnosis.checks.pretrained import fitting_scale, pretrained_findings
from keras_cnn.diagnosis.checks.rate_schedule import schedule_findings
from keras_cnn.diagnosis.diagnose import diagnose
from keras_cnn.diagnosis.graph.graph import is_pretrained, kernel_layers
from keras_cnn.diagnosis.probe.ablation import ablations
from keras_cnn.diagnosis.probe.data import Sample, sample_of
from keras_cnn.diagnosis.probe.learning_rate import compressed_rates, rate_of, rates_of
from keras_cnn.diagnosis.probe.objective import objective_of
from keras_cnn.diagnosis.remedies.context import RepairContext
from keras_cnn.diagnosis.remedies.remedies import REMEDIES
from keras_cnn.diagnosis.remedies.surgery import hidden
from keras_cnn.diagnosis.report import text, write_report
from tests.untrainable_nets import digits, net


@cache
def base() -> keras.Model:
    """Trained on digits in -1..1, and frozen."""
    keras.utils.set_random_seed(0)
    x, y = digits()
    stack = [
        layers.Conv2D(8, 3, strides=2),
        layers.BatchNormalization(momentum=0.8),
        layers.ReLU(),
        layers.Flatten(),
    ]
    result = keras.Sequential([keras.Input((16, 16, 1)), *stack], name="base")
    whole = keras.Sequential([result, layers.Dense(10, "softmax")])
    whole.compile("adam", "sparse_categorical_crossentropy")
    whole.fit(in_unit_range(x) * 2 - 1, y, epochs=2, verbose=0)
    result.trainable = False
    return result


def in_unit_range(x: np.ndarray) -> np.ndarray:
    return (x - x.min()) / np.ptp(x)


def transfer(*first) -> keras.Model:
    x = inputs = keras.Input((16, 16, 1))
    for layer in first:
        x = layer(x)
    model = keras.Model(inputs, layers.Dense(10, "softmax", name="head")(base()(x, training=False)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    ("first", "scale", "suggestion"),
    [
        ((1 / 127.5, -1), 255.0, None),
        ((1 / 127.5, -1), 1.0, "multiply the images by 255"),
        ((), 255.0, "scale the images from 0..255 to -1..1"),
        ((), 1.0, "scale the images from 0..1 to -1..1"),
    ],
)
def test_pretrained_findings_name_the_scale_of_the_base(first, scale, suggestion):
    x, y = digits()
    sample = Sample(scale * in_unit_range(x), y, 64)
    model = transfer(*([layers.Rescaling(*first)] if first else []))
    found = list(pretrained_findings(model, sample))
    assert [one.suggestions[0].what.startswith(suggestion) for one in found] == [True] * bool(suggestion)
    given = RepairContext(model, sample, objective_of(model, sample), 1e-3)
    repaired = REMEDIES["pretrained_inputs"](given)
    assert (repaired is not None) == bool(suggestion)
    if repaired is not None:
        assert fitting_scale(repaired, sample) is None


def test_remedies_leave_pretrained_layers_alone():
    model = transfer()
    conv, head = kernel_layers(model)
    assert is_pretrained(model, conv) and not is_pretrained(model, head) and hidden(model) == []
    assert not any(is_pretrained(net(), layer) for layer in kernel_layers(net()))
    fresh = net()
    kernel_layers(fresh)[0].bias.assign(
        kernel_layers(fresh)[0].bias + 1.0
    )  # trained elsewhere, and not frozen
    assert [is_pretrained(fresh, layer) for layer in kernel_layers(fresh)] == [True, False, False, False]


def test_remove_rescaling_gives_unscaled_inputs():
    keras.utils.set_random_seed(0)
    stack = [layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((16, 16, 1)), *stack])
    model.compile("adam", "sparse_categorical_crossentropy")
    sample = sample_of(digits(), 256)
    new = REMEDIES["remove_rescaling"](RepairContext(model, sample, objective_of(model, sample), 1e-3))
    np.testing.assert_allclose(new(sample.x), model(255 * sample.x), atol=1e-4)


@pytest.mark.parametrize(
    ("schedule", "found"),
    [
        (schedules.ExponentialDecay(0.01, 1, 0.9), ["schedule_decays_too_fast"]),
        (schedules.ExponentialDecay(0.01, 1000, 0.9), []),
        (schedules.CosineDecay(0.01, 2000), []),
        (
            schedules.CosineDecay(0.0, 100_000, warmup_target=1e-3, warmup_steps=90_000),
            ["schedule_warms_up_too_long"],
        ),
        (schedules.CosineDecay(0.0, 100_000, warmup_target=1e-3, warmup_steps=500), []),
        (1e-3, []),
    ],
)
def test_schedule_findings_look_at_the_steps_of_a_training(schedule, found):
    model = net()
    model.compile(optimizers.SGD(schedule), "sparse_categorical_crossentropy")
    assert [one.name for one in schedule_findings(model)] == found


def test_compressed_rates_shorten_the_warm_up_only():
    schedule = schedules.CosineDecay(0.0, 3000, warmup_target=1e-3, warmup_steps=1000)
    rates = compressed_rates(schedule, 480)
    assert (
        len(rates) == 480
        and rates[0] == 0
        and rates.argmax() == 48
        and rates[48] == pytest.approx(1e-3, rel=1e-3)
    )
    decay = schedules.ExponentialDecay(0.01, 1, 0.9)
    np.testing.assert_allclose(
        compressed_rates(decay, 60), [float(decay(step)) for step in range(60)], rtol=1e-5
    )
    np.testing.assert_allclose(rates_of(decay, 60), compressed_rates(decay, 60))
    model = net()
    model.compile(optimizers.SGD(schedule), "sparse_categorical_crossentropy")
    assert rate_of(model) == pytest.approx(1e-3, rel=1e-3)


def with_settings(optimizer=keras.optimizers.Adam, dropout=0.0, noise=0.0, l2=None) -> keras.Model:
    keras.utils.set_random_seed(0)
    penalty = regularizers.L2(l2) if l2 else None
    stack = [layers.GaussianNoise(noise)] * bool(noise) + [layers.Flatten()]
    stack += [layers.Dense(32, "relu", kernel_regularizer=penalty)] + [layers.Dropout(dropout)] * bool(
        dropout
    )
    last = layers.Dense(10, "softmax", kernel_regularizer=penalty)
    model = keras.Sequential([keras.Input((16, 16, 1)), *stack, last])
    model.compile(optimizer(), "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, []),
        ({"l2": 1e-4, "dropout": 0.5, "noise": 0.1}, []),
        ({"l2": 1.0}, ["regularization_too_strong"]),
        ({"dropout": 0.9, "noise": 1.0}, ["dropout_too_high", "noise_too_strong"]),
        ({"optimizer": lambda: optimizers.AdamW(1e-3, weight_decay=4e-3)}, []),
        ({"optimizer": lambda: optimizers.AdamW(1e-3, weight_decay=10.0)}, ["weight_decay_too_strong"]),
        ({"optimizer": lambda: optimizers.SGD(0.01, clipnorm=1e-4)}, ["clipping_too_tight"]),
    ],
)
def test_suspects_are_settings_of_unusual_strength(settings, found):
    model = with_settings(**settings)
    assert [one.finding for one in ablations(model, objective_of(model, sample_of(digits(), 256)))] == found


@pytest.mark.slow
def test_diagnose_proves_a_penalty_by_a_run_without_it():
    found = diagnose(with_settings(l2=3.0), digits())
    assert found.findings[0].name == "regularization_too_strong", text(found)
    assert found.findings[0].numbers["without"] > 2 * found.findings[0].numbers["with"]
    assert "loss_far_above_chance" not in [one.name for one in found.findings]


def test_report_of_a_model_that_cannot_be_probed_is_drawn(tmp_path):
    model = net()
    model.trainable = False
    write_report(diagnose(model, digits()), tmp_path)
    assert (tmp_path / "diagnosis.png").read_bytes()[:4] == b"\x89PNG"
    assert "verdict: untrainable (not trained: " in (tmp_path / "diagnosis.txt").read_text()


@pytest.mark.slow
def test_text_of_a_healthy_model_says_what_could_be_better():
    found = diagnose(net(head="sigmoid"), digits())
    assert found.verdict == "healthy" and "What could be better:" in text(found)
    assert found.findings[0].name == "sigmoid_for_classes"
