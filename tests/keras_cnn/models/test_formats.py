"""The layers of our own can be exported: LiteRT and ONNX compute what Keras does."""

import keras
import numpy as np
import pytest

from keras_cnn.models.build import build_model
from keras_cnn.models.spec import ModelSpec


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """A net whose batch statistics are not the initial ones."""
    keras.utils.set_random_seed(0)
    options = {"blocks": 2, "convolutions": 1, "width": 4, "dense": [8]}
    model = build_model(
        ModelSpec("vgg", (12, 12, 3), 4, normalization="zero_one", dropout=0.3, options=options)
    )
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma * 1.5, beta + 0.2, mean + 0.1, variance * 2])
    return model


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3)).astype(np.float32)


@pytest.mark.slow
def test_litert(model, images, tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    model.export(tmp_path / "model.tflite", format="litert", verbose=False)
    interpreter = Interpreter(str(tmp_path / "model.tflite"))
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], images)
    interpreter.invoke()
    found = interpreter.get_tensor(answer["index"])
    np.testing.assert_allclose(found, model.predict(images, verbose=0), atol=1e-6)


@pytest.mark.slow
def test_onnx(model, images, tmp_path):
    import onnxruntime

    model.predict(images, verbose=0)
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    (found,) = session.run(None, {session.get_inputs()[0].name: images})
    np.testing.assert_allclose(found, model.predict(images, verbose=0), atol=1e-6)
