"""Every kind of architecture goes through training on two devices, in both precisions, and comes back from its run."""

import pytest

from keras_cnn.training.config import TrainSettings
from keras_cnn.training.evaluate import measure, predict
from keras_cnn.training.make_model import best_model
from keras_cnn.training.train import train_epochs

SMALL = {
    "mlp": {"dense": [8]},
    "lenet5": {},
    "alexnet": {"dense": [8]},
    "vgg": {"blocks": 2, "convolutions": 1, "width": 4, "dense": [8]},
    "convnext": {"stages": 2, "depth": 1, "width": 4, "drop_path_rate": 0.2},
    "resnet": {"stages": 2, "depth": 1, "width": 4},
}
# `test_train` has vgg in float32 and vgg16, of the same blocks; `serving/test_matrix` convnext in bfloat16
CASES = [
    ("mlp", "float32"),
    ("lenet5", "mixed_bfloat16"),
    ("alexnet", "float32"),
    ("vgg", "mixed_bfloat16"),
    ("convnext", "float32"),
    ("resnet", "float32"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "precision"), CASES)
def test_train_of_every_architecture_measures_its_best_weights(
    name, precision, few_large_data, one_device, two_devices, tmp_path
):
    strategy = (
        one_device if name == "alexnet" else two_devices
    )  # it is wide, and its layers have nothing to share
    settings = TrainSettings(
        architecture=name,
        options=SMALL[name],
        precision=precision,
        dropout=0.1,
        batch_size=16,
        epochs=1,
        augmentation="crop",
    )
    result = train_epochs(settings, few_large_data, tmp_path, strategy=strategy)
    model = best_model(settings, few_large_data.facts, tmp_path)
    measured = measure(predict(model, few_large_data.validation), few_large_data.validation.labels)
    tolerance = 1e-4 if precision == "float32" else 0.02
    assert result.loss == pytest.approx(measured["loss"], rel=tolerance, abs=1e-6)
    assert result.score == pytest.approx(measured["accuracy"], abs=tolerance)
