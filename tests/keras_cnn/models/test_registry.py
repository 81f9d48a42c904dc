"""What holds for every architecture: a new line in the registry is tested without an edit here."""

import json
from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from keras_cnn.models.registry import ARCHITECTURES, check_options
from keras_cnn.models.spec import NORMALIZATIONS, ModelSpec
from tests.small_nets import HUGE, SHAPES, every_architecture, marked, spec_of

SEED = 3
# they differ from vgg16, resnet and resnet18 in numbers of their table alone
LIKE_ANOTHER = {"vgg11", "vgg13", "vgg16_c", "resnet20_cifar", "resnet34"}
EVERY = [name for name in ARCHITECTURES if name not in HUGE]


def images_for(name: str) -> np.ndarray:
    size = (4, 32, 32, 3) if name not in SHAPES else (1, *SHAPES[name])
    return np.random.default_rng(1).integers(0, 256, size, np.uint8)


def build(name: str, **changes) -> keras.Model:
    """The net of `spec_of` from equal seeds."""
    keras.utils.set_random_seed(SEED)
    return build_model(spec_of(name, **changes))


def outputs(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(model(images, training=False))


def logits(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Those of mean 0 over the classes."""
    scores = outputs(keras.Model(model.input, model.get_layer("predictions").output), images)
    return scores - scores.mean(axis=-1, keepdims=True)


@dataclass
class Built:
    name: str
    model: keras.Model
    images: np.ndarray
    probabilities: np.ndarray


@pytest.fixture(scope="module")
def built(request) -> Built:
    model, images = build(request.param), images_for(request.param)
    return Built(request.param, model, images, outputs(model, images))


every_built = marked("built", EVERY, indirect=True)
each_kind_built = marked("built", [name for name in EVERY if name not in LIKE_ANOTHER], indirect=True)


@every_built
def test_output_is_finite_float32_probabilities(built):
    probabilities = built.probabilities
    assert probabilities.shape[0] == len(built.images) and probabilities.shape[-1] == 5
    assert probabilities.ndim == {"classification": 2, "segmentation": 4}[ARCHITECTURES[built.name].task]
    assert probabilities.dtype == np.float32
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-5)


@every_built
def test_uint8_and_float_images_are_the_same_input(built):
    as_floats = outputs(built.model, built.images.astype(np.float32))
    np.testing.assert_array_equal(built.probabilities, as_floats)


def assert_every_weight_gets_a_gradient(model, images, batch_norm):
    with tf.GradientTape() as tape:
        probabilities = model(images, training=True)
        labels = np.arange(np.prod(probabilities.shape[:-1])).reshape(probabilities.shape[:-1]) % 4
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, probabilities))
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all(), weight.path
        assert (batch_norm and weight.path.endswith("bias")) or np.any(gradient), weight.path


@every_built
def test_every_weight_gets_a_gradient_with_batch_norm(built):
    before = built.model.get_weights()
    try:
        assert_every_weight_gets_a_gradient(built.model, built.images, batch_norm=True)
    finally:
        built.model.set_weights(before)  # moving statistics


@every_architecture
def test_every_weight_gets_a_gradient_without_batch_norm(name):
    assert_every_weight_gets_a_gradient(build(name, batch_norm=False), images_for(name), batch_norm=False)


@each_kind_built
def test_a_keras_file_gives_equal_outputs(built, tmp_path):
    built.model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(outputs(loaded, built.images), built.probabilities)


@pytest.mark.parametrize(
    ("name", "normalization"), [*(("vgg", one) for one in NORMALIZATIONS), ("unet", "per_image")]
)
def test_every_normalization_survives_saving(name, normalization, tmp_path):
    model, images = build(name, normalization=normalization), images_for(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(outputs(loaded, images), outputs(model, images))


@marked("built", ["vgg", "unet"], indirect=True)
def test_predict_gives_what_a_call_gives(built):
    found = built.model.predict(built.images, verbose=0)
    np.testing.assert_allclose(found, built.probabilities, rtol=1e-4, atol=1e-7)


@each_kind_built
def test_half_precision_inside_float32_outside(built):
    half = build(built.name, precision="mixed_bfloat16")
    # equal seeds make equal weights, in any precision
    for weight, expected in zip(half.get_weights(), built.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert outputs(half, built.images).dtype == np.float32
    assert keras.config.dtype_policy().name == "float32"
    hidden = [
        layer for layer in half.layers[:-2] if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)
    ]
    assert {layer.compute_dtype for layer in hidden} == {"bfloat16"}
    exact = logits(built.model, built.images)
    off = np.abs(logits(half, built.images) - exact) / exact.std()
    # measured: at most 0.019 and, of single pixels of a U-Net, 0.085
    assert np.sqrt(np.mean(off**2)) < 0.04 and off.max() < 0.2


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_spec_survives_json(name):
    spec = spec_of(name, dropout=0.25)
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize("name", ["vgg", "unet"])
def test_another_seed_makes_other_weights(name):
    first = build(name).get_weights()
    keras.utils.set_random_seed(SEED + 1)
    second = build_model(spec_of(name)).get_weights()
    assert any(not np.array_equal(one, other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "mlp"])
def test_too_small_an_image_is_refused(name):
    with pytest.raises(InputError, match="too small"):
        build_model(spec_of(name, input_shape=(3, 3, 3)))


def test_unknown_names_list_what_there_is():
    with pytest.raises(InputError, match=r"architecture 'vgg15'.*vgg16"):
        build_model(spec_of("vgg15"))
    with pytest.raises(InputError, match=r"Did you mean 'blocks'"):
        check_options("vgg", {"block": 3})
    with pytest.raises(InputError, match=r"activation 'rleu'. Did you mean 'relu'"):
        build_model(spec_of("vgg", activation="rleu"))
    with pytest.raises(InputError, match=r"kernel_initializer 'he'.*he_normal"):
        build_model(spec_of("vgg", kernel_initializer="he"))
