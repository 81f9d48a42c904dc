"""Findings from traces, weighted by the verdict."""

import keras
import pytest
from keras import layers

from keras_cnn.diagnosis.causes import causes
from keras_cnn.diagnosis.checks.static import static_findings
from keras_cnn.diagnosis.diagnose import diagnose
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import HEALTHY, UNTRAINABLE
from keras_cnn.diagnosis.probe.trace import Trace
from keras_cnn.diagnosis.result import Diagnosis
from tests.untrainable_nets import digits, net


@pytest.mark.parametrize(("share", "steps", "better"), [(0.3, 48, True), (0.1, 48, False), (0.3, 600, False)])
def test_causes_better_rate_only_in_no_more_steps(share, steps, better):
    own, other = (
        Trace(rate, [1.0] * count, [1.0] * 5, [1.0] * 5, [level] * 5)
        for rate, count, level in ((1e-3, 480, 0.2), (1e-2, steps, share))
    )
    diagnosis = Diagnosis(HEALTHY, 1e-3, (1e-3,), [], traces=[own, other])
    found = causes(diagnosis, net(), Sample(*digits(), 64)).findings
    assert [finding.name for finding in found] == ["better_rate"] * better
    assert not better or found[0].suggestions[0].what == "use a learning rate of 1.0e-02"


def residual(zeros: tuple[str, ...]) -> keras.Model:
    """A convolution and two residual blocks of two convolutions; kernels named in `zeros` are 0."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((16, 16, 1))
    x = layers.Conv2D(16, 3, strides=2, activation="relu", kernel_initializer="he_normal", name="stem")(x)
    for block in "ab":
        y = x
        for index in "12":
            start = "zeros" if block + index in zeros else "he_normal"
            y = layers.Conv2D(
                16, 3, padding="same", activation="relu", kernel_initializer=start, name=block + index
            )(y)
        x = layers.Add()([x, y])
    x = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    model = keras.Model(inputs, x)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    ("zeros", "share", "verdict"),
    [
        (("a1", "a2", "b1", "b2"), 0.15, UNTRAINABLE),
        (("a1", "a2", "b1", "b2"), 0.3, HEALTHY),
        (("a2", "b2"), 0.15, HEALTHY),  # blocks that start as the identity
    ],
)
def test_causes_constant_kernels_double_required_score(zeros, share, verdict):
    model = residual(zeros)
    own = Trace(1e-3, [1.0] * 480, [1.0] * 41, [1.0] * 41, [share] * 41)
    diagnosis = Diagnosis(HEALTHY, 1e-3, (1e-3,), static_findings(model), traces=[own])
    found = causes(diagnosis, model, Sample(*digits(), 64))
    assert (found.verdict, found.findings[0].name) == (verdict, "constant_kernel")
    assert found.rates == ((1e-3,) if verdict == HEALTHY else ())


@pytest.mark.slow
def test_diagnose_constant_kernels_are_found_in_healthy_model():
    found = diagnose(residual(("a1", "a2", "b1", "b2")), digits())
    assert (found.verdict, found.findings[0].name) == (HEALTHY, "constant_kernel")


@pytest.mark.parametrize("batch_norm", [False, True])
def test_causes_batch_normalization_is_not_proposed_to_a_model_that_has_it(batch_norm):
    late = Trace(1e-3, [1.0] * 480, [1.0] * 41, [1.0] * 41, [0.0] * 20 + [0.3] * 21)
    diagnosis = Diagnosis(HEALTHY, 1e-3, (1e-3,), [], traces=[late])
    (found,) = causes(diagnosis, net(batch_norm=batch_norm), Sample(*digits(), 64)).findings
    assert found.name == "slow_start"
    assert any("batch normalization" in one.what for one in found.suggestions) == (not batch_norm)
