"""Repair takes what helps, and claims only what it measured."""

import keras
import numpy as np
import pytest

from keras_cnn.diagnosis.repair import repair
from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from tests.small_nets import spec_of
from tests.untrainable_nets import DEEP, Block, diagnosis_of, digits, everything, net, of_blocks


@pytest.fixture
def three_rates(monkeypatch):
    """Attempts try the net's own rate and two near it; `test_commands` repairs with all of them."""
    monkeypatch.setattr("keras_cnn.diagnosis.remedies.attempts.USUAL_RATES", ())


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
def test_a_net_is_repaired_and_both_are_measured(arguments, remedies, three_rates):
    model = net(**arguments)
    before = everything(model)
    mended = repair(model, digits(), diagnosis_of(**arguments), budget=100)
    assert mended.succeeded and set(mended.changes) <= remedies, str(mended)
    assert mended.after.loss < mended.before.loss and mended.after.accuracy > 0.5 > mended.before.accuracy
    x, y = digits()
    fitted = mended.model.fit(x, y, epochs=8, verbose=0).history["accuracy"][-1]
    assert fitted > 0.7  # the repaired net is handed over untrained, and trains
    for one, other in zip(before, everything(model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_healthy_net_is_left_alone():
    model = net()
    mended = repair(model, digits(), diagnosis_of(), budget=30)
    assert mended.model is model and not mended.changes and not mended.tried and not mended.succeeded


@pytest.mark.slow
def test_no_repair_is_claimed_where_no_remedy_helps(three_rates):
    x, y = digits()
    mended = repair(net(depth=2, units=8), (x, np.random.default_rng(0).permutation(y)), budget=40)
    assert not mended.succeeded and mended.tried and "No remedy was measured to help" in str(mended)


@pytest.mark.slow
def test_our_own_nets_can_be_repaired(three_rates):
    options = {"blocks": 2, "convolutions": 1, "width": 4, "dense": [16]}
    changes = {
        "kernel_initializer": "zeros",
        "batch_norm": False,
        "normalization": "none",
        "options": options,
    }
    model = build_model(spec_of("vgg", input_shape=(16, 16, 1), classes=10, **changes))
    mended = repair(model, digits(), budget=80)
    assert mended.succeeded, str(mended)


@pytest.mark.slow
def test_a_net_of_custom_layers_is_repaired_by_new_weights(three_rates):
    repaired = repair(of_blocks(*(Block() for _ in range(6))), digits())
    assert repaired.succeeded and repaired.changes[0] in ("initialization", "lsuv")


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True], ids=["numbers of classes", "a number for each"])
def test_a_loss_that_cannot_take_the_labels_is_exchanged(whole, three_rates):
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


@pytest.mark.slow
def test_a_subclassed_net_is_refused_in_one_line():
    found = diagnosis_of(rate=10.0)  # that the same net as a functional model gets
    with pytest.raises(InputError, match="subclassed"):
        repair(net(kind="subclassed", rate=10.0), digits(), found, budget=20)
