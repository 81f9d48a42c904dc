"""What holds for every architecture: a new line in the registry is tested without an edit here."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from keras_cnn.models.registry import ARCHITECTURES, check_options
from keras_cnn.models.spec import NORMALIZATIONS, ModelSpec
from tests.small_nets import SHAPES, every_architecture, marked, spec_of


@pytest.fixture
def images(name) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (4, *SHAPES.get(name, (32, 32, 3))), np.uint8)


@marked(list(ARCHITECTURES))
def test_output_is_probabilities(name, images):
    probabilities = build_model(spec_of(name)).predict(images, verbose=0)
    assert probabilities.shape[0] == 4 and probabilities.shape[-1] == 5
    assert probabilities.ndim == {"classification": 2, "segmentation": 4}[ARCHITECTURES[name].task]
    assert probabilities.dtype == np.float32
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-5)


@every_architecture
def test_uint8_and_float_images_are_the_same_input(name, images):
    model = build_model(spec_of(name))
    as_floats = model.predict(images.astype(np.float32), verbose=0)
    np.testing.assert_array_equal(model.predict(images, verbose=0), as_floats)


@every_architecture
@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_weight_gets_a_gradient(name, batch_norm, images):
    model = build_model(spec_of(name, batch_norm=batch_norm))
    with tf.GradientTape() as tape:
        probabilities = model(images, training=True)
        labels = np.arange(np.prod(probabilities.shape[:-1])).reshape(probabilities.shape[:-1]) % 4
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, probabilities))
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all(), weight.path
        assert (batch_norm and weight.path.endswith("bias")) or np.any(gradient), weight.path


def assert_a_file_answers_alike(spec, images, path):
    model = build_model(spec)
    model.save(path)
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))


@every_architecture
def test_a_keras_file_answers_alike(name, images, tmp_path):
    assert_a_file_answers_alike(spec_of(name), images, tmp_path / "model.keras")


@pytest.mark.parametrize("name", ["vgg", "unet"])
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_every_normalization_survives_saving(name, normalization, images, tmp_path):
    assert_a_file_answers_alike(spec_of(name, normalization=normalization), images, tmp_path / "model.keras")


@pytest.mark.slow
@every_architecture
def test_a_saved_model_answers_alike(name, images, tmp_path):
    model = build_model(spec_of(name, dropout=0.3))
    model.export(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    floats = images.astype(np.float32)
    np.testing.assert_allclose(loaded.serve(floats), model.predict(floats, verbose=0), atol=1e-6)


@every_architecture
def test_half_precision_inside_float32_outside(name, images):
    spec = spec_of(name, precision="mixed_bfloat16")
    model, exact = build_model(spec), build_model(spec_of(name))
    exact.set_weights(model.get_weights())
    probabilities = model.predict(images, verbose=0)
    assert probabilities.dtype == np.float32
    assert keras.config.dtype_policy().name == "float32"
    hidden = [
        layer for layer in model.layers[:-2] if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)
    ]
    assert {layer.compute_dtype for layer in hidden} == {"bfloat16"}
    np.testing.assert_allclose(probabilities, exact.predict(images, verbose=0), atol=0.1)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_spec_survives_json(name):
    spec = spec_of(name, dropout=0.25)
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@every_architecture
def test_equal_seeds_make_equal_weights(name):
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        models.append(build_model(spec_of(name)).get_weights())
    for first, second in zip(*models, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "mlp"])
def test_too_small_an_image_is_refused(name):
    with pytest.raises(InputError, match="too small"):
        build_model(spec_of(name, input_shape=(3, 3, 3)))


def test_unknown_names_list_what_there_is():
    with pytest.raises(InputError, match=r"architecture 'vgg15'.*vgg16"):
        build_model(spec_of("vgg15"))
    with pytest.raises(InputError, match=r"Did you mean 'blocks'"):
        check_options("vgg", {"block": 3})
    with pytest.raises(InputError, match="an integer"):
        check_options("vgg", {"blocks": "three"})
    with pytest.raises(InputError, match="an integer"):
        check_options("vgg", {"blocks": True})
    with pytest.raises(InputError, match=r"activation 'rleu'. Did you mean 'relu'"):
        build_model(spec_of("vgg", activation="rleu"))
    with pytest.raises(InputError, match=r"kernel_initializer 'he'.*he_normal"):
        build_model(spec_of("vgg", kernel_initializer="he"))
