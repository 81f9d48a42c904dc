"""Diagnoses of models that learn, and of models with one fault each."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_cnn.diagnosis.diagnose import diagnose
from keras_cnn.diagnosis.probe.decision import HEALTHY, LR_DEPENDENT, UNDECIDED, UNTRAINABLE
from keras_cnn.diagnosis.probe.probe import EXTENDED_SHORT_RUN_STEPS
from keras_cnn.diagnosis.probe.trace import EVAL_INTERVAL_STEPS
from keras_cnn.diagnosis.report import text, write_report
from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from tests.small_nets import spec_of
from tests.untrainable_nets import DEEP, diagnosis_of, digits, everything, in_half_precision, net


@pytest.mark.parametrize(
    ("kind", "rate"),
    [
        ("functional", 1e-3),
        *(
            pytest.param(*one, marks=pytest.mark.slow)
            for one in (("subclassed", 1e-3), ("sequential", None), ("subclassed", None))
        ),
    ],
)
def test_diagnose_learning_model_is_healthy_and_unchanged(kind, rate):
    model = net(rate=rate, kind=kind, batch_norm=True)
    before = everything(model)
    found = diagnose(model, digits())
    assert found.verdict == HEALTHY, text(found)
    assert found.rates[0] == found.rate == pytest.approx(1e-3)
    assert all(finding.confidence < 0.5 for finding in found.findings)
    for one, other in zip(before, everything(model), strict=True):
        np.testing.assert_array_equal(one, other)


def one_hot_labels() -> tuple[np.ndarray, np.ndarray]:
    x, y = digits()
    return x, keras.utils.to_categorical(y, 10)


def shuffled_labels() -> tuple[np.ndarray, np.ndarray]:
    x, y = digits()
    return x, np.random.default_rng(0).permutation(y)


def tiny_inputs() -> tuple[np.ndarray, np.ndarray]:
    x, y = digits()
    return x * 1e-5, y


def noisy_binary_labels() -> tuple[np.ndarray, np.ndarray]:
    """Digits below 5 against the others, 30 % of the labels wrong: about 10 % of the entropy can be explained."""
    x, y = digits()
    return x, (y < 5) ^ (np.random.default_rng(0).random(len(y)) < 0.3)


def one_in_three(y: np.ndarray) -> np.ndarray:
    return (y % 3 == 0).astype("int32")


def binary(rate: float = 1e-3) -> keras.Model:
    keras.utils.set_random_seed(0)
    stack = [layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((16, 16, 1)), *stack])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    return model


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "verdict"), [(1e-3, HEALTHY), (1e-9, LR_DEPENDENT)])
def test_diagnose_noisy_labels_lower_required_score(rate, verdict):
    found = diagnose(binary(rate), noisy_binary_labels())
    assert found.required_score < 0.1 and found.linear_baseline_score < 0.1
    assert found.verdict == verdict, text(found)
    assert "few_images" not in [finding.name for finding in found.findings]
    assert verdict == HEALTHY or {len(trace.losses) for trace in found.traces[1:]} == {
        EXTENDED_SHORT_RUN_STEPS
    }


@pytest.mark.slow
def test_diagnose_shuffled_binary_labels_is_untrainable():
    x, y = digits()
    found = diagnose(binary(), (x, np.random.default_rng(0).permutation(one_in_three(y))))
    assert (found.verdict, found.findings[0].name) == (UNTRAINABLE, "labels_unrelated"), text(found)


def test_diagnose_ten_classes_for_one_output_is_out_of_range():
    (finding,) = diagnose(binary(), digits()).findings
    assert (
        finding.name == "labels_out_of_range" and "0 to 9" in finding.message and "0 to 1" in finding.message
    )


@pytest.mark.slow
def test_diagnose_few_images_are_found():
    x, y = digits()
    found = diagnose(binary(), (x[:40], one_in_three(y[:40])))
    assert "few_images" in [finding.name for finding in found.findings]


# name -> (arguments of net, data, verdict, first finding)
FAULTY = {
    "deep sigmoid": (DEEP, digits, UNTRAINABLE, "signal_fades"),
    "zeros": ({"initializer": "zeros"}, digits, UNTRAINABLE, "constant_kernel"),
    "dead units": ({"bias": -50.0, "depth": 4}, digits, UNTRAINABLE, "dead_units"),
    "rate too high": ({"rate": 10.0}, digits, LR_DEPENDENT, "rate_too_high"),
    "rate too low": ({"rate": 1e-8}, digits, LR_DEPENDENT, "rate_too_low"),
    "one unit": ({"units": 1, "depth": 4, "activation": "tanh"}, digits, UNTRAINABLE, "too_narrow"),
    "shuffled labels": ({}, shuffled_labels, UNTRAINABLE, "labels_unrelated"),
    "tiny inputs": ({"activation": "tanh"}, tiny_inputs, UNTRAINABLE, "inputs_not_normalized"),
    "one class": ({}, lambda: (digits()[0], 0 * digits()[1]), UNTRAINABLE, "one_class"),
    "labels from 1": ({}, lambda: (digits()[0], digits()[1] + 1), UNTRAINABLE, "labels_out_of_range"),
    "class indices": ({"loss": "categorical_crossentropy"}, digits, UNTRAINABLE, "labels_of_another_form"),
    "one-hot labels": ({}, one_hot_labels, UNTRAINABLE, "labels_of_another_form"),
    "NaN": ({}, lambda: (digits()[0] * np.nan, digits()[1]), UNTRAINABLE, "images_not_finite"),
}  # fmt: skip


SLOW = {
    "deep sigmoid",
    "dead units",
    "rate too low",
    "rate too high",
    "one unit",
    "shuffled labels",
    "tiny inputs",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in FAULTY]
)
def test_diagnose_fault_names_cause_first(name):
    arguments, data, verdict, cause = FAULTY[name]
    found = diagnosis_of(**arguments) if data is digits else diagnose(net(**arguments), data())
    assert found.verdict == verdict, text(found)
    assert found.findings[0].name == cause, text(found)
    assert found.findings[0].suggestions
    if verdict == LR_DEPENDENT:
        assert found.rates and found.rate not in found.rates
    else:
        assert not found.rates
    if name == "dead units":
        assert found.findings[0].layer == "act3"
        assert found.findings[0].numbers["dead"] == 1


def test_diagnose_probed_rates_have_upper_limit():
    rates = [trace.rate for trace in diagnosis_of(initializer="zeros").traces]
    assert len(rates) > 3 and max(rates) == pytest.approx(1e-2)


@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "rate", "largest"), [("sgd", 1e-3, 0.3), ("adam", 0.5, 0.5)])
def test_diagnose_probed_rates_have_optimizer_limit(optimizer, rate, largest):
    model = net(initializer="zeros")
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = rate
    rates = [trace.rate for trace in diagnose(model, digits()).traces]
    assert len(rates) > 3 and max(rates) == pytest.approx(largest)


def test_diagnose_frozen_model_is_not_probed():
    model = net()
    model.trainable = False
    found = diagnose(model, digits())
    assert (found.verdict, found.findings[0].name, found.traces) == (UNTRAINABLE, "all_frozen", [])


@pytest.mark.slow
def test_diagnose_tf_dataset_is_accepted():
    batches = tf.data.Dataset.from_tensor_slices(digits()).batch(50)
    assert diagnose(net(), batches).verdict == HEALTHY


@pytest.mark.slow
def test_diagnose_one_hot_labels_are_accepted():
    assert diagnose(net(loss="categorical_crossentropy"), one_hot_labels()).verdict == HEALTHY


@pytest.mark.parametrize("loss", [None, pytest.param("binary_crossentropy", marks=pytest.mark.slow)])
def test_diagnose_binary_model_is_healthy(loss):
    x, y = digits()
    model = keras.Sequential(
        [keras.Input((16, 16, 1)), layers.Flatten(), layers.Dense(1, activation="sigmoid")]
    )
    if loss:
        model.compile("adam", loss)
    found = diagnose(model, (x, (y > 4).astype("float32")))
    assert found.verdict == HEALTHY, text(found)
    assert found.chance == pytest.approx(np.log(2), abs=0.01)


@pytest.mark.slow
def test_diagnose_segmentation_model_is_healthy(mask_data):
    train = mask_data.train
    model = build_model(spec_of("unet", input_shape=(24, 32, 1), classes=2, normalization="zero_one"))
    found = diagnose(model, (train.images.astype("float32"), train.labels), batch_size=4)
    share = train.labels.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert found.chance == pytest.approx(entropy, abs=0.02)
    assert found.verdict == HEALTHY, text(found)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((np.zeros((40, 8, 8, 1), "float32"), np.zeros(40, "int32")), r"takes images \(16, 16, 1\)"),
        ((np.zeros((40, 16, 16, 1), "float32"), np.zeros(39, "int32")), "40 images and 39 labels"),
        ((np.zeros((1, 16, 16, 1), "float32"), np.zeros(1, "int32")), "too few"),
        ([np.zeros((4, 16, 16, 1))], "images with their labels"),
        (7, "neither arrays"),
    ],
)
def test_diagnose_unusable_data_raises(data, message):
    with pytest.raises(InputError, match=message):
        diagnose(net(), data)


def test_diagnose_unsupported_model_raises():
    model = net()
    with pytest.raises(InputError, match="2 outputs"):
        diagnose(keras.Model(model.inputs, [model.outputs[0], model.get_layer("conv").output]), digits())
    more = keras.Input((16, 16, 1))
    two = keras.Model([*model.inputs, more], layers.Add()([model.outputs[0], model(more)]))
    with pytest.raises(InputError, match="2 inputs"):
        diagnose(two, digits())
    with pytest.raises(InputError, match="'crossentrophy', which Keras does not know"):
        diagnose(net(loss="crossentrophy"), digits())


@pytest.mark.slow
def test_diagnose_float16_model_uses_loss_scaling():
    """Keras scales the loss, so that gradients below 6e-8 do not underflow to 0."""
    half = in_half_precision(net())
    half.compile(
        keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-3)), "sparse_categorical_crossentropy"
    )
    before = everything(half)
    found = diagnose(half, digits())
    assert found.verdict == HEALTHY and found.rate == pytest.approx(1e-3), text(found)
    for one, other in zip(before, everything(half), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_write_report_writes_all_files(tmp_path):
    found = diagnosis_of(**DEEP)
    write_report(found, tmp_path)
    read = json.loads((tmp_path / "diagnosis.json").read_text())
    assert read["verdict"] == UNTRAINABLE and read["findings"][0]["name"] == "signal_fades"
    assert "suggestion 1:" in (tmp_path / "diagnosis.txt").read_text()
    assert (tmp_path / "diagnosis.png").read_bytes()[:4] == b"\x89PNG"
    assert list((tmp_path / "logs").iterdir())


def test_diagnosis_repr_is_short_and_html_is_escaped():
    found = diagnosis_of(**DEEP)
    lines = repr(found).splitlines()
    assert lines[:2] == ["Diagnosis", "  verdict: untrainable"] and "signal_fades" in repr(found)
    assert len(lines) <= 9 and len(repr(found)) < 1500
    finding = replace(found.findings[0], message="<b>&")
    html = replace(found, findings=[finding])._repr_html_()
    assert html.startswith("<table>") and "&lt;b&gt;&amp;" in html and "<b>" not in html


def test_text_report_names_score_and_suggestions():
    report = text(diagnosis_of(**DEEP))
    assert report.startswith("verdict: untrainable (at its own learning rate of 1.0e-03 and at ")
    assert report.splitlines()[2].split()[-1] == "score" and "   suggestion 1: " in report


@pytest.mark.slow
def test_diagnose_time_that_is_too_short_is_undecided():
    found = diagnose(net(**DEEP), digits(), seconds=0.0)
    assert (found.verdict, found.rates) == (UNDECIDED, ()) and len(found.traces) == 1
    assert len(found.traces[0].losses) == EVAL_INTERVAL_STEPS
    assert text(found).startswith("verdict: undecided (it had not learned at 1.0e-03")
    assert "labels_unrelated" not in [one.name for one in found.findings]
