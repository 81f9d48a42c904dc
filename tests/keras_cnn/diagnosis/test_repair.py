"""Repair applies the remedy that helps, and succeeds only if it was measured to help."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from keras_cnn.diagnosis.probe.data import sample_of
from keras_cnn.diagnosis.remedies.attempts import Measured
from keras_cnn.diagnosis.repair import Repair, _in_stock_layers, _is_better, repair
from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from tests.small_nets import spec_of
from tests.untrainable_nets import DEEP, Block, diagnosis_of, digits, everything, net, of_blocks


@pytest.fixture
def three_rates(monkeypatch):
    """Attempts probe three learning rates; `cli/test_diagnose.py` repairs with all of them."""
    monkeypatch.setattr("keras_cnn.diagnosis.remedies.attempts._usual_rates", lambda _: ())


@pytest.mark.parametrize(
    ("arguments", "remedies"),
    [
        pytest.param(
            DEEP,
            {"batch_normalization", "activation", "lsuv", "initialization", "skip_connections"},
            marks=pytest.mark.slow,
        ),
        pytest.param({"initializer": "zeros"}, {"initialization"}, marks=pytest.mark.slow),
        pytest.param({"rate": 10.0}, {"learning_rate"}, marks=pytest.mark.slow),
        pytest.param({"bias": -50.0, "depth": 4}, {"initialization"}, marks=pytest.mark.slow),
    ],
    ids=["deep sigmoid", "zeros", "rate", "dead units"],
)
def test_repair_untrainable_model_succeeds_and_measures_both(arguments, remedies, three_rates):
    model = net(**arguments)
    before = everything(model)
    repaired = repair(model, digits(), diagnosis_of(**arguments), budget=100)
    assert repaired.succeeded and set(repaired.changes) <= remedies, str(repaired)
    assert (
        repaired.after.loss < repaired.before.loss
        and repaired.after.accuracy > 0.5 > repaired.before.accuracy
    )
    x, y = digits()
    fitted = repaired.model.fit(x, y, epochs=8, verbose=0).history["accuracy"][-1]
    assert fitted > 0.7  # the repaired model has its initial weights, and learns
    for one, other in zip(before, everything(model), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_repair_healthy_model_is_unchanged():
    model = net()
    repaired = repair(model, digits(), diagnosis_of(), budget=30)
    assert repaired.model is model and not repaired.changes and not repaired.tried and not repaired.succeeded
    assert str(repaired) == "Nothing to repair: the model learns at its learning rate of 1.0e-03."
    assert repaired.before is repaired.after is None and repaired.to_dict()["before"] is None


def test_repair_repr_is_short_and_html_is_escaped():
    measured = Measured(2.3, 0.11, 0.11, 0.13, 2.3, 0.0, 300)
    repaired = Repair(net(), ("<widen>",), 1e-3, measured, replace(measured, accuracy=0.93), True, [{}] * 9)
    assert repr(repaired).splitlines()[:2] == ["Repair", "  succeeded: True"] and len(repr(repaired)) < 500
    assert "before: accuracy 0.11" in str(repaired) and "after: accuracy 0.93" in str(repaired)
    html = repaired._repr_html_()
    assert html.startswith("<table>") and "&lt;widen&gt;" in html and "<widen>" not in html


@pytest.mark.slow
def test_repair_shuffled_labels_does_not_succeed(three_rates):
    x, y = digits()
    repaired = repair(net(depth=2, units=8), (x, np.random.default_rng(0).permutation(y)), budget=40)
    assert not repaired.succeeded and repaired.tried and "improved the score enough" in str(repaired)


@pytest.mark.slow
def test_repair_vgg_with_constant_kernels_succeeds(three_rates):
    options = {"blocks": 2, "convolutions": 1, "width": 4, "dense": [16]}
    changes = {
        "kernel_initializer": "zeros",
        "batch_norm": False,
        "normalization": "none",
        "options": options,
    }
    model = build_model(spec_of("vgg", input_shape=(16, 16, 1), classes=10, **changes))
    repaired = repair(model, digits(), budget=80)
    assert repaired.succeeded, str(repaired)


@pytest.mark.slow
def test_repair_custom_layers_initializes_weights(three_rates):
    repaired = repair(of_blocks(*(Block() for _ in range(6))), digits())
    assert repaired.succeeded and repaired.changes[0] in ("initialization", "lsuv")


@pytest.mark.slow
@pytest.mark.parametrize("one_hot", [False, True], ids=["class indices", "one-hot"])
def test_repair_loss_of_another_label_form_is_replaced(one_hot, three_rates):
    x, y = digits()
    y = keras.utils.to_categorical(y, 10) if one_hot else y
    model = net(loss="sparse_categorical_crossentropy" if one_hot else "categorical_crossentropy")
    repaired = repair(model, (x, y), budget=100)
    assert repaired.succeeded and repaired.changes == ("output_and_loss",), str(repaired)
    assert repaired.before is None and "before: fit rejects the labels" in str(repaired)
    assert repaired.after.steps == 100 and repaired.after.accuracy > 0.7
    assert repaired.model.fit(x, y, epochs=8, verbose=0).history["accuracy"][-1] > 0.7


def test_repair_labels_out_of_range_raises():
    x, y = digits()
    with pytest.raises(InputError, match=r"Labels range from 1 to 10.*subtract 1 from the labels"):
        repair(net(), (x, y + 1), budget=20)


@pytest.mark.slow
def test_repair_subclassed_model_raises():
    found = diagnosis_of(rate=10.0)  # of the same model in functional form
    with pytest.raises(InputError, match="subclassed"):
        repair(net(kind="subclassed", rate=10.0), digits(), found, budget=20)


def test_repair_one_hot_labels_for_one_unit_gets_one_output_per_class(three_rates):
    x, y = digits()
    model = keras.Sequential(
        [keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")]
    )
    model.compile("adam", "binary_crossentropy")
    repaired = repair(model, (x, keras.utils.to_categorical(y, 10)), budget=60)
    assert repaired.succeeded and repaired.changes == ("output_and_loss",), str(repaired)
    assert repaired.model.output_shape == (None, 10) and repaired.before is None
    assert "dense" in repaired.code_changes[0] and "units=10" in repaired.code_changes[0], (
        repaired.code_changes
    )
    assert "'categorical_crossentropy'" in repaired.code_changes[-1] and "In your code:" in str(repaired)


def test_repaired_model_is_compiled_at_the_rate_of_its_best_training():
    model, sample = net(rate=1e-3), sample_of(digits(), 512)
    repaired = _in_stock_layers(model, sample, 0.02)
    assert float(repaired.optimizer.learning_rate) == pytest.approx(0.02)
    for one, other in zip(model.get_weights(), repaired.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("loss", "balanced", "better"),
    [(1.5, 0.4, True), (2.4, 0.4, False), (1.5, 0.12, False), (2.2, 0.3, False), (1.5, 0.2, False)],
    ids=["better", "loss above chance", "accuracy of guesses", "loss as before", "accuracy as before"],
)
def test_is_better_needs_loss_and_accuracy(loss, balanced, better):
    before = Measured(2.2, 0.3, 0.25, 0.13, 2.3, 0.05, 300)
    after = Measured(loss, 0.5, balanced, 0.13, 2.3, 0.3, 300)
    assert _is_better(after, before) == better
    assert _is_better(after, None) == (loss < 2.3 and balanced > 0.13)
