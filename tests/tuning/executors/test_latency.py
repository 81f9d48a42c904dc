"""The latency of an exported model."""

import keras
import pytest

from keras_cnn.training.config import TrainSettings
from tuning.executors import latency
from tuning.executors.latency import LEAST_CALLS, WARM_UP, measure_latency
from tuning.executors.repeats import first_repeat


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_latency_is_the_median_of_calls_with_one_image_after_a_warm_up(dtype, monkeypatch):
    seconds, shapes = iter([9.0] * WARM_UP + [0.5, 0.2, 0.1] * LEAST_CALLS), set()
    timed = latency._seconds

    def count(serve, image):
        assert timed(serve, image) > 0
        shapes.add((tuple(image.shape), image.dtype.name))
        return next(seconds)

    monkeypatch.setattr(latency, "_seconds", count)
    net = keras.Sequential([keras.Input((6, 5, 1)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
    assert measure_latency(net, dtype) == 200.0
    assert shapes == {((1, 6, 5, 1), dtype)}
    assert (
        sum(1 for _ in seconds) == 2 * LEAST_CALLS
    )  # others are left: slow models are called no more than so often


def test_first_repeat_of_a_trial_without_repeats_is_itself(tmp_path):
    assert first_repeat(tmp_path / "trials/0003/repeat_2") == tmp_path / "trials/0003/repeat_1"
    assert first_repeat(tmp_path / "trials/0003") == tmp_path / "trials/0003"


@pytest.mark.slow
def test_net_of_ours_is_measured_before_it_is_trained(data, one_device, tmp_path, monkeypatch):
    from tuning.executors import trial
    from tuning.trial import TrialSpec

    monkeypatch.setattr(trial, "load_data", lambda settings: data)
    settings = TrainSettings(options={"width": 2, "blocks": 1, "convolutions": 1}, epochs=1).resolved(
        data.facts
    )
    TrialSpec(settings, 1, max_latency_ms=1e-6).write(tmp_path)
    metrics = trial.run_trial(tmp_path, one_device, lambda epoch, logs: pytest.fail("it was trained"))
    assert metrics["state"] == "TOO_LARGE" and metrics["latency_ms"] > 0
