"""Every kind of architecture goes through training on two devices, in both precisions, and comes back from its run."""

import pytest

from keras_cnn.training.config import TrainSettings
from keras_cnn.training.evaluate import measure, predict
from keras_cnn.training.train import best_model, train

SMALL = {
    "mlp": {"dense": [8]},
    "lenet5": {},
    "alexnet": {"dense": [8]},
    "vgg": {"width": 4, "dense": [8]},
    "vgg16": {"dense": []},
    "convnext": {"stages": 2, "depth": 1, "width": 4, "drop_path_rate": 0.2},
}


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", SMALL)
def test_it_trains_on_two_devices(name, precision, few_large_data, two_devices, tmp_path):
    settings = TrainSettings(
        architecture=name,
        options=SMALL[name],
        precision=precision,
        dropout=0.1,
        batch_size=16,
        epochs=1,
        augmentation="crop",
    )
    result = train(settings, few_large_data, tmp_path, strategy=two_devices)
    model = best_model(settings, few_large_data.facts, tmp_path)
    measured = measure(predict(model, few_large_data.validation), few_large_data.validation.labels)
    tolerance = 1e-4 if precision == "float32" else 0.02
    assert result.loss == pytest.approx(measured["loss"], rel=tolerance, abs=1e-6)
    assert result.score == pytest.approx(measured["accuracy"], abs=tolerance)
