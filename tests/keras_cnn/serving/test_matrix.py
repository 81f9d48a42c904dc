"""What is served equals what the model predicts: architecture x batch norm x precision x replicas x endpoint or format.

`python -m pytest tests/keras_cnn/serving/test_matrix.py -rP` prints the differences.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.models.build import build_model
from keras_cnn.models.registry import ARCHITECTURES
from keras_cnn.models.spec import NORMALIZATIONS
from keras_cnn.serving.endpoints import write_saved_model
from keras_cnn.serving.export import MIXED_TOLERANCE, TOLERANCE
from keras_cnn.serving.formats import FORMATS
from tests.small_nets import HUGE, QUICK, spec_of

CLASSES = ["a", "b", "c", "d", "e"]
PLAIN = (True, "float32", 1)
# batch norm, precision, replicas: half of the eight combinations, in which every pair of two settings is there
PAIRS = [(False, "float32", 2), (False, "mixed_bfloat16", 1), PLAIN, (True, "mixed_bfloat16", 2)]
CASES = [
    (name, *case)
    for name in ARCHITECTURES
    if name not in HUGE
    for case in (PAIRS if name in QUICK else [PLAIN])
]


def make(spec, strategy=None) -> tuple[keras.Model, np.ndarray]:
    """A model whose batch statistics are not the initial ones, and images for it."""
    keras.utils.set_random_seed(0)
    with (strategy or tf.distribute.get_strategy()).scope():
        model = build_model(spec)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                gamma, beta, mean, variance = layer.get_weights()
                layer.set_weights([gamma * 1.2, beta + 0.1, mean + 0.1, variance * 1.5])
    images = np.random.default_rng(2).integers(0, 256, (4, *spec.input_shape), np.uint8)
    return model, images


@pytest.mark.parametrize(
    ("name", "batch_norm", "precision", "replicas"),
    [pytest.param(*case, marks=[pytest.mark.slow] * (case[0] != "vgg")) for case in CASES],
)
def test_every_endpoint_answers_what_the_model_predicts(
    name, batch_norm, precision, replicas, one_device, two_devices, tmp_path
):
    spec = spec_of(name, batch_norm=batch_norm, precision=precision, dropout=0.3, normalization="zero_mean")
    strategy = two_devices if replicas == 2 else one_device
    model, images = make(spec, strategy)
    with strategy.scope():
        expected = model.predict(images, verbose=0)
    write_saved_model(model, CLASSES, str(tmp_path), whole_images=True)
    served = tf.saved_model.load(tmp_path)
    ask = served.signatures
    found = {
        "serving_default": ask["serving_default"](images=tf.constant(images)),
        "serve_encoded": ask["serve_encoded"](
            encoded=tf.stack([tf.io.encode_png(image) for image in images])
        ),
    }
    tolerance = TOLERANCE.get(precision, MIXED_TOLERANCE)
    for endpoint, answer in found.items():
        difference = float(np.abs(answer["probabilities"].numpy() - expected).max())
        print(
            f"{name}, batch norm {batch_norm}, {precision}, {replicas} replicas, {endpoint}: {difference:.1e}"
        )
        assert difference <= tolerance
    assert ask["labels"]()["labels"].numpy().tolist() == [name.encode() for name in CLASSES]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name != "vgg")) for name in sorted(QUICK)]
)
def test_every_format_answers_what_the_model_predicts(name, form, tmp_path):
    difference = written(
        spec_of(name, batch_norm=True, dropout=0.3, normalization="zero_mean"), form, tmp_path
    )
    print(f"{name}, {form}: {difference:.1e}")
    assert difference <= (1e-5 if FORMATS[form].exact else 0.15)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_every_normalization_is_inside_every_format(normalization, form, tmp_path):
    difference = written(spec_of("vgg", normalization=normalization), form, tmp_path)
    assert difference <= (1e-5 if FORMATS[form].exact else 0.15)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["litert", "onnx"])
@pytest.mark.parametrize("activation", ["gelu", "celu", "mish", "hard_swish", "selu", "tanh"])
def test_activations_in_exact_formats(activation, form, tmp_path):
    assert written(spec_of("convnext", activation=activation), form, tmp_path) <= 1e-5


def written(spec, form: str, folder) -> float:
    """The largest difference between the format and `predict`."""
    model, images = make(spec)
    path = folder / FORMATS[form].file
    FORMATS[form].write(model, path, images)
    answer = FORMATS[form].load(path)
    alone, together = answer(images[:1]), answer(images)
    np.testing.assert_allclose(alone, together[:1], atol=1e-6 if FORMATS[form].exact else 0.02)
    return float(np.abs(together - model.predict(images, verbose=0)).max())
