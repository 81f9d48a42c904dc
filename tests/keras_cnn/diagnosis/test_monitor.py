"""HealthMonitor finds what goes wrong during training, on one device and on two."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cnn.diagnosis.checks.loss_curve import course_findings, overfitting
from keras_cnn.diagnosis.checks.training_state import batch_norm_findings
from keras_cnn.diagnosis.monitor import HealthMonitor
from keras_cnn.diagnosis.probe.data import sample_of
from keras_cnn.logs import redirected
from keras_cnn.records import read_json
from tests.untrainable_nets import digits, everything, net


def fit(model, monitor, epochs=1, **more):
    x, y = digits()
    return model.fit(x, y, batch_size=50, epochs=epochs, verbose=0, callbacks=[monitor], **more).history


def monitor_of_digits(**options) -> HealthMonitor:
    return HealthMonitor(digits(), **options)


@pytest.fixture(params=["one_device", pytest.param("two_devices", marks=pytest.mark.slow)])
def strategy(request):
    return request.getfixturevalue(request.param)


@pytest.mark.slow
def test_monitor_healthy_training_is_unchanged(strategy, tmp_path):
    def trained(callback):
        with strategy.scope():
            model = net(batch_norm=True)
        fit(model, callback, epochs=2)
        return everything(model)

    monitor = monitor_of_digits(logs=tmp_path / "logs", directory=tmp_path)
    watched, plain = trained(monitor), trained(keras.callbacks.Callback())
    for one, other in zip(watched, plain, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not monitor.findings and "No findings" in (tmp_path / "health.txt").read_text()
    assert read_json(tmp_path / "health.json")["steps"] == 40
    assert list((tmp_path / "logs").iterdir()) and monitor.signals


def test_monitor_nan_names_layer_and_batch(strategy):
    class DivergesAtStep7(layers.Layer):
        def build(self, shape):
            self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x, training=None):
            if training:
                self.steps.assign_add(1.0)
            return x / keras.ops.cast(self.steps < 7, x.dtype)

    with strategy.scope():
        stack = [
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            DivergesAtStep7(name="diverges"),
            layers.Dense(10, "softmax"),
        ]
        model = keras.Sequential([keras.Input((16, 16, 1)), *stack])
        model.compile("adam", "sparse_categorical_crossentropy")
    monitor = monitor_of_digits(share=0.0)
    fit(model, monitor, epochs=3)
    (finding,) = [one for one in monitor.findings if one.name == "diverged"]
    assert finding.layer == "diverges" and finding.numbers["epoch"] == 1
    assert finding.numbers["batch"] == 7
    assert monitor.reason.startswith("diverged") and len(model.history.epoch) == 1


def test_monitor_nan_in_several_layers_names_the_first():
    class Identity(layers.Layer):
        """Keras infers its output shape by tracing it before the training step."""

        def call(self, x):
            return x + 0.0

    stack = [
        layers.Flatten(),
        layers.Rescaling(np.inf, name="overflows"),
        Identity(),
        layers.Dense(10, "softmax"),
    ]
    model = keras.Sequential([keras.Input((16, 16, 1)), *stack])
    model.compile("adam", "sparse_categorical_crossentropy")
    fit(model, monitor := monitor_of_digits())
    (finding,) = [one for one in monitor.findings if one.name == "diverged"]
    assert finding.layer == "overflows" and finding.numbers["batch"] == 1


@pytest.mark.slow
def test_monitor_loss_at_chance_stops_with_reason():
    model = net(depth=2, initializer="zeros")
    history = fit(model, monitor := monitor_of_digits(stop=True), epochs=40)
    assert len(history["loss"]) < 40 and monitor.reason.startswith("stands_at_chance")


def test_monitor_takes_the_loss_of_each_batch_from_the_mean_of_the_epoch():
    """Keras reports the mean over the epoch so far, which an oscillating loss hardly moves later on."""
    chance = np.log(10)
    losses = [chance * (0.5 + 0.3 * ((step // 20) % 2)) for step in range(400)]
    means = np.cumsum(losses) / np.arange(1, 401)
    monitor = monitor_of_digits(share=0.0)
    monitor.set_model(net())
    monitor.on_train_begin()
    monitor.on_epoch_begin(0)
    for batch, mean in enumerate(means):
        monitor.on_train_batch_end(batch, {"loss": mean})
    monitor.on_train_end()
    assert [finding.name for finding in monitor.findings] == ["loss_swings"]


@pytest.mark.slow
def test_monitor_dead_units_are_logged_once():
    found: list[str] = []
    with redirected(found.append):
        fit(net(bias=-50.0), HealthMonitor(digits(), share=1.0), epochs=2)
    assert sum("dead_units" in line for line in found) == 1


@pytest.mark.slow
def test_monitor_small_updates_are_found():
    monitor = monitor_of_digits(share=1.0)
    fit(net(rate=1e-12), monitor)
    assert "updates_too_small" in [finding.name for finding in monitor.findings]


def test_batch_norm_findings_wrong_moving_mean_is_found():
    model, sample = net(batch_norm=True), sample_of(digits(), 128)
    (finding,) = batch_norm_findings(model, sample) or [None]  # initial moving statistics: 0 and 1
    layer = model.get_layer(finding.layer) if finding else model.get_layer("bn1")
    layer.moving_mean.assign(layer.moving_mean + 100.0)
    (finding,) = batch_norm_findings(model, sample)
    assert finding.name == "batch_norm_disagrees" and finding.numbers["off"] > 10


def test_course_findings_loss_at_chance_or_oscillating_is_found():
    chance = np.log(10)
    random = np.random.default_rng(0)
    falling = list(np.linspace(chance, 0.5, 400) + 0.05 * random.normal(size=400))
    standing = list(chance + 0.02 * random.normal(size=400))
    swinging = [chance * (0.5 + 0.3 * ((step // 20) % 2)) for step in range(400)]
    assert course_findings(falling, chance) == []
    assert [one.name for one in course_findings(standing, chance)] == ["stands_at_chance"]
    assert [one.name for one in course_findings(swinging, chance)] == ["loss_swings"]
    assert course_findings(standing[:100], chance) == [] == course_findings([], chance)


def test_overfitting_three_epochs_are_required():
    worse = [{"loss": 1 / epoch, "val_loss": epoch} for epoch in (1.0, 2.0, 3.0, 4.0)]
    assert [one.name for one in overfitting(worse)] == ["overfitting"]
    assert overfitting(worse[:3]) == [] == overfitting([{"loss": 1.0}] * 9)
    assert overfitting([*worse[:3], {"loss": 0.2, "val_loss": 2.5}]) == []


@pytest.mark.slow
def test_monitor_validation_of_another_scale_is_not_called_overfitting():
    x, y = digits()
    monitor = monitor_of_digits(validation_data=(60 * x + 50, y))
    fit(net(depth=2), monitor, epochs=4, validation_data=(60 * x + 50, y))
    (found,) = [one for one in monitor.findings if one.name in ("validation_differs", "overfitting")]
    assert found.name == "validation_differs" and "Training images have mean" in found.message


@pytest.mark.slow
def test_monitor_short_training_with_late_statistics_is_found():
    model = net(batch_norm=True, rate=1e-2)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.9999
    fit(model, monitor := monitor_of_digits(), epochs=2)
    assert "batch_norm_disagrees" in [one.name for one in monitor.findings]


def test_monitor_short_training_says_that_it_is_too_short():
    fit(net(), monitor := monitor_of_digits(), epochs=1)
    assert not monitor.findings and "20 steps are too few to tell" in monitor.summary()
    assert [step for step, _ in monitor.signals][-1] == 20  # measured at the end


@pytest.mark.slow
def test_monitor_short_training_at_chance_is_reported_with_doubt():
    fit(net(depth=2, initializer="zeros"), monitor := monitor_of_digits(), epochs=2)
    (found,) = [one for one in monitor.findings if one.name == "stands_at_chance"]
    assert found.confidence < 0.5 and "of 40 batches" in found.message
