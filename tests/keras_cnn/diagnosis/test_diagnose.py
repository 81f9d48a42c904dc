"""The doctor on nets that learn and on nets that do not, each for one reason."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from keras_cnn.diagnosis.causes import causes
from keras_cnn.diagnosis.checks.static import static_findings
from keras_cnn.diagnosis.diagnose import diagnose
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import HEALTHY, LR_DEPENDENT, UNTRAINABLE
from keras_cnn.diagnosis.probe.objective import logit_std, objective_of
from keras_cnn.diagnosis.probe.probe import EXTENDED_SHORT_RUN_STEPS, Trace
from keras_cnn.diagnosis.report import text, write_report
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from tests.small_nets import spec_of
from tests.untrainable_nets import digits, everything, in_half_precision, net


@pytest.mark.parametrize("kind", ["functional", "sequential", "subclassed"])
@pytest.mark.parametrize("rate", [1e-3, None], ids=["compiled", "uncompiled"])
def test_a_net_that_learns_is_healthy_and_stays_as_it_was(kind, rate):
    model = net(rate=rate, kind=kind, batch_norm=True)
    before = everything(model)
    found = diagnose(model, digits())
    assert found.verdict == HEALTHY, text(found)
    assert found.rates[0] == found.rate == pytest.approx(1e-3)
    assert all(finding.confidence < 0.5 for finding in found.findings)
    for one, other in zip(before, everything(model), strict=True):
        np.testing.assert_array_equal(one, other)


def whole() -> tuple[np.ndarray, np.ndarray]:
    x, y = digits()
    return x, keras.utils.to_categorical(y, 10)


def shuffled() -> tuple[np.ndarray, np.ndarray]:
    x, y = digits()
    return x, np.random.default_rng(0).permutation(y)


def noisy() -> tuple[np.ndarray, np.ndarray]:
    """Low digits against high ones, three labels in ten the wrong way round: a tenth of the entropy can be told."""
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


@pytest.mark.parametrize(("rate", "verdict"), [(1e-3, HEALTHY), (1e-9, LR_DEPENDENT)])
def test_of_labels_that_are_hard_to_tell_less_is_asked(rate, verdict):
    found = diagnose(binary(rate), noisy())
    assert found.required_score < 0.1 and found.linear_baseline_score < 0.1
    assert found.verdict == verdict, text(found)
    assert verdict == HEALTHY or {len(trace.losses) for trace in found.traces[1:]} == {
        EXTENDED_SHORT_RUN_STEPS
    }


def test_shuffled_labels_of_two_classes_are_not_learnt():
    x, y = digits()
    found = diagnose(binary(), (x, np.random.default_rng(0).permutation(one_in_three(y))))
    assert (found.verdict, found.findings[0].name) == (UNTRAINABLE, "labels_unrelated"), text(found)


def test_labels_of_ten_classes_for_one_output():
    (finding,) = diagnose(binary(), digits()).findings
    assert (
        finding.name == "labels_out_of_range" and "0 to 9" in finding.message and "0 to 1" in finding.message
    )


def test_of_few_images_it_is_told_that_luck_decides():
    x, y = digits()
    found = diagnose(binary(), (x[:40], one_in_three(y[:40])))
    assert "few_images" in [finding.name for finding in found.findings]
    assert "few_images" not in [f.name for f in diagnose(binary(), (x, one_in_three(y))).findings]


DEEP = {"depth": 12, "activation": "sigmoid", "initializer": "glorot_uniform"}
# name -> (net, data, verdict, the likeliest cause)
SICK = {
    "deep sigmoid": (DEEP, digits, UNTRAINABLE, "signal_fades"),
    "zeros": ({"initializer": "zeros"}, digits, UNTRAINABLE, "constant_kernel"),
    "dead units": ({"bias": -50.0}, digits, UNTRAINABLE, "dead_units"),
    "rate too high": ({"rate": 10.0}, digits, LR_DEPENDENT, "rate_too_high"),
    "rate too low": ({"rate": 1e-8}, digits, LR_DEPENDENT, "rate_too_low"),
    "one unit": ({"units": 1, "depth": 4, "activation": "tanh"}, digits, UNTRAINABLE, "too_narrow"),
    "shuffled labels": ({}, shuffled, UNTRAINABLE, "labels_unrelated"),
    "tiny inputs": ({"activation": "tanh"}, lambda: (digits()[0] * 1e-5, digits()[1]), UNTRAINABLE, "inputs_not_normalized"),
    "one class": ({}, lambda: (digits()[0], 0 * digits()[1]), UNTRAINABLE, "one_class"),
    "labels from 1": ({}, lambda: (digits()[0], digits()[1] + 1), UNTRAINABLE, "labels_out_of_range"),
    "numbers of classes": ({"loss": "categorical_crossentropy"}, digits, UNTRAINABLE, "labels_of_another_form"),
    "a number for each class": ({}, whole, UNTRAINABLE, "labels_of_another_form"),
    "NaN": ({}, lambda: (digits()[0] * np.nan, digits()[1]), UNTRAINABLE, "images_not_finite"),
}  # fmt: skip


@pytest.mark.parametrize("name", SICK)
def test_what_is_wrong_is_named_first(name):
    arguments, data, verdict, cause = SICK[name]
    found = diagnose(net(**arguments), data())
    assert found.verdict == verdict, text(found)
    assert found.findings[0].name == cause, text(found)
    assert found.findings[0].suggestions
    if verdict == LR_DEPENDENT:
        assert found.rates and found.rate not in found.rates
    else:
        assert not found.rates


@pytest.mark.parametrize(("told", "steps", "better"), [(0.3, 48, True), (0.1, 48, False), (0.3, 600, False)])
def test_a_net_that_trains_is_told_of_a_rate_at_which_it_trains_better(told, steps, better):
    """In no more steps than its own was given."""
    own, other = (
        Trace(rate, [1.0] * count, [1.0] * 5, [1.0] * 5, [share] * 5)
        for rate, count, share in ((1e-3, 480, 0.2), (1e-2, steps, told))
    )
    given = Diagnosis(HEALTHY, 1e-3, (1e-3,), [], traces=[own, other])
    found = causes(given, net(), Sample(*digits(), 64)).findings
    assert [finding.name for finding in found] == ["better_rate"] * better
    assert not better or found[0].suggestions[0].what == "a learning rate of 1.0e-02"


@pytest.mark.parametrize(
    ("optimizer", "rate", "largest"), [("adam", 1e-3, 1e-2), ("sgd", 1e-3, 1e-1), ("adam", 0.5, 0.5)]
)
def test_no_rate_is_tried_that_is_larger_than_usual_and_than_its_own(optimizer, rate, largest):
    model = net(initializer="zeros")
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = rate
    rates = [trace.rate for trace in diagnose(model, digits()).traces]
    assert len(rates) > 3 and max(rates) == pytest.approx(largest)


def residual(zeros: tuple[str, ...]) -> keras.Model:
    """A convolution and two residual blocks of two, those named with kernels of zeros."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((16, 16, 1))
    x = layers.Conv2D(16, 3, strides=2, activation="relu", kernel_initializer="he_normal", name="stem")(x)
    for block in "ab":
        y = x
        for place in "12":
            start = "zeros" if block + place in zeros else "he_normal"
            y = layers.Conv2D(
                16, 3, padding="same", activation="relu", kernel_initializer=start, name=block + place
            )(y)
        x = layers.Add()([x, y])
    x = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    model = keras.Model(inputs, x)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    ("zeros", "told", "verdict"),
    [
        (("a1", "a2", "b1", "b2"), 0.15, UNTRAINABLE),
        (("a1", "a2", "b1", "b2"), 0.3, HEALTHY),
        (("a2", "b2"), 0.15, HEALTHY),  # blocks that begin as the identity
    ],
)
def test_a_net_whose_first_layer_alone_can_learn_must_tell_more(zeros, told, verdict):
    model = residual(zeros)
    own = Trace(1e-3, [1.0] * 480, [1.0] * 41, [1.0] * 41, [told] * 41)
    given = Diagnosis(HEALTHY, 1e-3, (1e-3,), static_findings(model), traces=[own])
    found = causes(given, model, Sample(*digits(), 64))
    assert (found.verdict, found.findings[0].name) == (verdict, "constant_kernel")
    assert found.rates == ((1e-3,) if verdict == HEALTHY else ())


def test_constant_kernels_are_told_of_a_net_that_learns_in_spite_of_them():
    found = diagnose(residual(("a1", "a2", "b1", "b2")), digits())
    assert (found.verdict, found.findings[0].name) == (HEALTHY, "constant_kernel")


def test_the_dead_layer_is_named():
    found = diagnose(net(depth=4, bias=-50.0), digits())
    assert found.findings[0].layer == "act3"
    assert found.findings[0].numbers["dead"] == 1


def test_a_frozen_net_is_not_probed():
    model = net()
    model.trainable = False
    found = diagnose(model, digits())
    assert (found.verdict, found.findings[0].name, found.traces) == (UNTRAINABLE, "all_frozen", [])


def test_data_come_as_arrays_as_batches_and_with_whole_distributions():
    x, y = digits()
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(50)
    assert diagnose(net(), batches).verdict == HEALTHY
    assert diagnose(net(loss="categorical_crossentropy"), whole()).verdict == HEALTHY


@pytest.mark.parametrize("loss", [None, "binary_crossentropy"])
def test_two_classes_by_one_unit(loss):
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
def test_masks(mask_data):
    train = mask_data.train
    model = build_model(spec_of("unet", input_shape=(24, 32, 1), classes=2, normalization="zero_one"))
    found = diagnose(model, (train.images.astype("float32"), train.labels), batch_size=4)
    share = train.labels.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert found.chance == pytest.approx(entropy, abs=0.02)
    assert found.verdict == HEALTHY, text(found)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ((np.zeros((40, 8, 8, 1), "float32"), np.zeros(40, "int32")), r"takes images \(16, 16, 1\)"),
        ((np.zeros((40, 16, 16, 1), "float32"), np.zeros(39, "int32")), "40 images and 39 labels"),
        ((np.zeros((1, 16, 16, 1), "float32"), np.zeros(1, "int32")), "too few"),
        ([np.zeros((4, 16, 16, 1))], "images with their labels"),
        (7, "neither arrays"),
    ],
)
def test_data_that_cannot_be_fed_are_refused(data, told):
    with pytest.raises(InputError, match=told):
        diagnose(net(), data)


def test_nets_of_several_inputs_or_outputs_and_unknown_losses_are_refused_in_one_line():
    model = net()
    with pytest.raises(InputError, match="2 outputs"):
        diagnose(keras.Model(model.inputs, [model.outputs[0], model.get_layer("conv").output]), digits())
    more = keras.Input((16, 16, 1))
    two = keras.Model([*model.inputs, more], layers.Add()([model.outputs[0], model(more)]))
    with pytest.raises(InputError, match="2 inputs"):
        diagnose(two, digits())
    with pytest.raises(InputError, match="'crossentrophy', which Keras does not know"):
        diagnose(net(loss="crossentrophy"), digits())


def test_a_net_in_half_precision_is_probed_as_fit_would_train_it():
    """Keras scales its loss, so that gradients below 6e-8 do not become 0."""
    half = in_half_precision(net())
    half.compile(
        keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-3)), "sparse_categorical_crossentropy"
    )
    before = everything(half)
    found = diagnose(half, digits())
    assert found.verdict == HEALTHY and found.rate == pytest.approx(1e-3), text(found)
    for one, other in zip(before, everything(half), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_report_is_written_and_can_be_read(tmp_path):
    found = diagnose(net(**DEEP), digits())
    write_report(found, tmp_path)
    read = json.loads((tmp_path / "diagnosis.json").read_text())
    assert read["verdict"] == UNTRAINABLE and read["findings"][0]["name"] == "signal_fades"
    assert "cure 1:" in (tmp_path / "diagnosis.txt").read_text()
    assert (tmp_path / "diagnosis.png").read_bytes()[:4] == b"\x89PNG"
    assert list((tmp_path / "logs").iterdir())


@given(st.lists(st.integers(1, 50), min_size=3, max_size=10))
@settings(max_examples=30, deadline=None)
def test_chance_is_the_entropy_of_the_labels(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(len(counts), activation="softmax")])
    shares = np.array(counts) / sum(counts)
    sample = Sample(np.zeros((len(y), 2), "float32"), y, 64)
    wanted = -(shares * np.log(shares)).sum()
    assert objective_of(model, sample).chance == pytest.approx(wanted, rel=1e-4)


@given(st.integers(0, 1000), st.floats(0.1, 10))
@settings(max_examples=30, deadline=None)
def test_the_spread_of_logits_knows_no_bias_and_scales_with_them(seed, scale):
    random = np.random.default_rng(seed)
    logits, bias = random.normal(size=(20, 5)), random.normal(size=5)
    assert logit_std(logits + bias, "linear") == pytest.approx(logit_std(logits, "linear"))
    assert logit_std(scale * logits, "linear") == pytest.approx(scale * logit_std(logits, "linear"))
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    assert logit_std(probabilities, "softmax") == pytest.approx(logit_std(logits, "linear"), rel=1e-5)
