"""What is served equals what the model predicts: architecture x batch norm x precision x replicas x endpoint or format.

`python -m pytest tests/keras_cnn/serving/test_matrix.py -rP` prints the differences.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.models.build import build_model
from keras_cnn.models.spec import NORMALIZATIONS
from keras_cnn.serving.endpoints import write_saved_model
from keras_cnn.serving.formats import FORMATS
from keras_cnn.serving.verification import MIXED_TOLERANCE, TOLERANCE
from tests.small_nets import spec_of

pytestmark = pytest.mark.slow  # `test_endpoints` and `test_convert` have a net of two blocks
CLASSES = ["c", "e", "a", "d", "b"]
TINY = {"blocks": 1, "convolutions": 1, "width": 4, "dense": []}
# batch norm, precision, replicas: half of the eight combinations, in which every pair of two settings is there
PLAIN, MIXED = (True, "float32", 1), (False, "mixed_bfloat16", 1)
TOGETHER, MIXED_TOGETHER = (False, "float32", 2), (True, "mixed_bfloat16", 2)
# one architecture of each kind; the others differ from it in depth, width or groups
CASES = [
    ("vgg", *PLAIN),
    ("vgg", *MIXED),
    ("vgg", *MIXED_TOGETHER),
    ("mlp", *PLAIN),
    ("lenet5", *TOGETHER),
    ("alexnet", *MIXED),
    ("convnext", *PLAIN),
    ("convnext", *MIXED_TOGETHER),
    ("resnet", *MIXED_TOGETHER),
    ("mobilenet_v2", *PLAIN),
    ("unet", *PLAIN),
    ("unet", *MIXED_TOGETHER),
]
EXACT = ["litert", "onnx"]
# with the statistics that batch normalization begins with, their outputs would not depend on the image
DEEP = {"mobilenet_v2", "efficientnet_b0"}
INEXACT = 0.25  # of the spread of the answers; 0.13 was the most, and an answer that ignores the image has 1
CONVERTED = [
    *(("vgg", form) for form in FORMATS),
    *(("convnext", form) for form in (*EXACT, "litert_int8")),
    *(("resnet", form) for form in (*EXACT, "litert_int8")),
    ("efficientnet_b0", "onnx"),
    *(("unet", form) for form in EXACT),
    ("mlp", "onnx"),
    ("lenet5", "litert"),
    ("alexnet", "onnx"),
]


def make(spec, strategy=None) -> tuple[keras.Model, np.ndarray]:
    """A model whose batch statistics are not the initial ones, and images for it that look different."""
    keras.utils.set_random_seed(0)
    with (strategy or tf.distribute.get_strategy()).scope():
        model = build_model(spec)
    images = _images(spec)
    if spec.architecture in DEEP:
        model(images, training=True)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma * 1.2, beta + 0.1, mean + 0.1 * np.sqrt(variance), variance * 1.5])
    return model, images


def _images(spec) -> np.ndarray:
    random = np.random.default_rng(2)
    images = random.integers(0, 100, (8, *spec.input_shape))
    for number, image in enumerate(images):  # one corner, in colors of its own
        height, width = (side // (1 + number % 3) for side in spec.input_shape[:2])
        image[:height, :width] += random.integers(0, 156, spec.input_shape[2])
    return images.astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "batch_norm", "precision", "replicas"),
    CASES,
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


@pytest.mark.parametrize(
    ("name", "form"),
    CONVERTED,
)
def test_every_format_answers_what_the_model_predicts(name, form, tmp_path):
    convert_and_compare(
        spec_of(name, batch_norm=True, dropout=0.3, normalization="zero_mean"), form, tmp_path
    )


@pytest.mark.parametrize("form", ["onnx", "litert_int8"])
@pytest.mark.parametrize("normalization", [name for name in NORMALIZATIONS if name != "zero_mean"])
def test_every_normalization_is_inside_the_format(normalization, form, tmp_path):
    """`zero_mean` is in the test above."""
    convert_and_compare(spec_of("vgg", normalization=normalization, options=TINY), form, tmp_path)


@pytest.mark.parametrize("activation", ["gelu", "celu"])
def test_functions_that_onnx_lacks_are_rewritten(activation, tmp_path):
    spec = spec_of("vgg", activation=activation, options=TINY)
    convert_and_compare(spec, "onnx", tmp_path)


def convert_and_compare(spec, form: str, folder) -> None:
    """An exact format equals `predict`; others differ by a fraction of what distinguishes the images' answers."""
    model, images = make(spec)
    path = folder / FORMATS[form].file
    FORMATS[form].write(model, path, images)
    answer = FORMATS[form].load(path)
    alone, together = answer(images[:1]), answer(images)
    np.testing.assert_allclose(alone, together[:1], atol=1e-6 if FORMATS[form].exact else 0.02)
    expected = model.predict(images, verbose=0)
    differences = together - expected
    largest, share = (
        float(np.abs(differences).max()),
        float(differences.std() / (expected - expected.mean(0)).std()),
    )
    print(f"{spec.architecture}, {spec.normalization}, {form}: {largest:.1e}, {share:.3f} of the spread")
    if FORMATS[form].exact:
        # 80 convolutions after one another add up what each rounds: 9.5e-6 of EfficientNet in ONNX
        assert largest <= (1e-4 if spec.architecture in DEEP else 1e-5)
    else:
        assert largest <= 0.15 and share <= INEXACT
