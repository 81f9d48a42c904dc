"""A model in stock Keras layers predicts the same."""

import keras
import numpy as np
import pytest

from keras_cnn.models.build import build_model
from keras_cnn.models.spec import ModelSpec
from keras_cnn.models.stock import stock_model


@pytest.mark.parametrize(
    ("architecture", "options", "own"),
    [
        ("vgg", {"blocks": 1, "convolutions": 1, "width": 4, "dense": []}, set()),
        ("convnext", {"stages": 1, "depth": 1, "width": 4, "drop_path_rate": 0.1}, {"LayerScale"}),
        ("resnet", {"stages": 2, "depth": 1, "width": 4}, set()),
    ],
)
def test_stock_model_predicts_as_the_model_and_has_no_other_layers(architecture, options, own):
    keras.utils.set_random_seed(0)
    spec = ModelSpec(architecture, (16, 16, 3), 3, normalization="zero_one", dropout=0.2, options=options)
    model = build_model(spec)
    model.set_weights([weight + 0.1 for weight in model.get_weights()])  # of batch normalization too
    copy = stock_model(model)
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)
    np.testing.assert_allclose(copy(images), model(images), atol=1e-5)
    foreign = {
        type(layer).__name__ for layer in copy.layers if not type(layer).__module__.startswith("keras.")
    }
    assert foreign == own
