"""Weights of keras.applications give our nets its outputs, whatever the form of the file."""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from keras_cnn.models.pretrained import check_weights, freeze_body, load_pretrained
from keras_cnn.models.references import check_layers, reference, statistics
from keras_cnn.models.spec import ModelSpec
from keras_cnn.models.unallocated import unallocated


def build(name: str, side: int, classes: int, **options) -> keras.Model:
    known = reference(name)
    return build_model(
        ModelSpec(
            name,
            (side, side, 3),
            classes,
            activation=known.activation,
            batch_norm=known.batch_norm is True,
            mean=known.mean,
            variance=known.variance,
            options=options,
        )
    )


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def vgg16() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.applications.VGG16(weights=None, include_top=False)


@pytest.fixture(scope="module")
def vgg16_file(vgg16, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("vgg") / "vgg16.weights.h5"
    vgg16.save_weights(path)
    return path


def features(model: keras.Model, layer: str) -> keras.Model:
    return keras.Model(model.input, model.get_layer(layer).output)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["vgg16.weights.h5", "legacy.h5"])
def test_vgg16_sees_rgb_as_the_reference_sees_bgr(vgg16, vgg16_file, images, tmp_path, form):
    path = vgg16_file
    if form == "legacy.h5":
        import h5py
        from keras.src.legacy.saving import legacy_h5_format

        path = tmp_path / form
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, vgg16)
    model = build("vgg16", 64, 5, dense=[])
    assert load_pretrained(model, "vgg16", path) == ["predictions"]
    prepared = keras.applications.vgg16.preprocess_input(images.astype(np.float32))
    expected = np.asarray(vgg16(prepared, training=False))
    found = features(model, "block5_pool")(images, training=False)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
def test_convnext_gives_the_features_of_the_reference(images, tmp_path):
    keras.utils.set_random_seed(0)
    net = keras.applications.ConvNeXtTiny(weights=None, include_top=False, pooling="avg")
    random = np.random.default_rng(0)
    net.set_weights([w + random.normal(0, 0.1, w.shape) if w.ndim == 1 else w for w in net.get_weights()])
    net.save_weights(tmp_path / "convnext.weights.h5")
    model = build("convnext_tiny", 64, 5)
    path = tmp_path / "convnext.weights.h5"
    assert load_pretrained(model, "convnext_tiny", path) == ["predictions"]
    expected = net(images.astype(np.float32), training=False)
    found = features(model, "norm")(images, training=False)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


DEVIATION = (0.229, 0.224, 0.225)
PREPROCESSING = {
    "resnet50": ("ResNet50", keras.applications.resnet.preprocess_input),
    "mobilenet_v2": ("MobileNetV2", keras.applications.mobilenet_v2.preprocess_input),
    "efficientnet_b0": ("EfficientNetB0", np.asarray),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PREPROCESSING)
def test_features_are_those_of_the_reference_with_its_preprocessing(name, images, tmp_path):
    builder, preprocess = PREPROCESSING[name]
    keras.utils.set_random_seed(0)
    net = getattr(keras.applications, builder)(weights=None, include_top=False, pooling="avg")
    random = np.random.default_rng(0)
    net.set_weights([_drawn(weight, random) for weight in net.weights])
    net.save_weights(tmp_path / "net.weights.h5")
    model = build(name, 64, 5)
    assert load_pretrained(model, name, tmp_path / "net.weights.h5") == ["predictions"]
    expected = np.asarray(net(preprocess(images.astype(np.float32)), training=False))
    found = np.asarray(features(model, "pool")(images, training=False))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def _drawn(weight: keras.Variable, random: np.random.Generator) -> np.ndarray:
    """Weights with biases, and in EfficientNet's layer for pixels the statistics of ImageNet, times 1 / 255."""
    of_pixels = {"normalization/mean": (0.485, 0.456, 0.406), "normalization/variance": np.square(DEVIATION)}
    if weight.path in of_pixels:
        return np.array(of_pixels[weight.path])
    if weight.name in ("bias", "beta", "moving_mean"):
        return random.normal(0, 0.1, weight.shape)
    return keras.ops.convert_to_numpy(weight)


def test_layers_that_the_weights_were_not_trained_with_are_refused():
    for name, activation, batch_norm, message in (
        ("vgg16", "relu", True, "--batch_norm false"),
        ("resnet50", "relu", False, "--batch_norm at true"),
        ("efficientnet_b0", "relu", True, "--activation silu"),
    ):
        with pytest.raises(InputError, match=message):
            check_layers(name, activation, batch_norm)
    check_layers("convnext_tiny", "gelu", True)


@pytest.mark.slow
def test_weights_of_which_most_do_not_fit_are_refused(tmp_path):
    keras.applications.MobileNetV2(weights=None, include_top=False).save_weights(tmp_path / "net.weights.h5")
    with pytest.raises(InputError, match=r"fit only .* layers of mobilenet_v2: leave its --options"):
        load_pretrained(build("mobilenet_v2", 32, 5, alpha=0.5), "mobilenet_v2", tmp_path / "net.weights.h5")


def test_a_frozen_body_keeps_its_weights():
    with unallocated():
        model = build("vgg16", 32, 5, dense=[8])
    freeze_body(model)
    assert [weight.path for weight in model.trainable_weights] == [
        "fc1/kernel",
        "fc1/bias",
        "predictions/kernel",
        "predictions/bias",
    ]


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    (tmp_path / "text.h5").write_text("no weights")
    with pytest.raises(InputError, match="no HDF5 file"):
        check_weights(tmp_path / "text.h5")
    with pytest.raises(InputError, match="there is no"):
        check_weights(tmp_path / "missing.h5")
    with pytest.raises(InputError, match="no weights for lenet5; there are for vgg16"):
        reference("lenet5")


@pytest.mark.slow
def test_weights_of_another_net_are_refused(vgg16_file):
    with pytest.raises(InputError, match="holds no weights of keras"):
        load_pretrained(build("vgg16", 32, 5, dense=[]), "convnext_tiny", vgg16_file)


def test_statistics_are_in_the_units_of_the_pixels():
    known = reference("convnext_tiny")
    assert statistics("convnext_tiny", (0, 255)) == (known.mean, known.variance)
    mean, variance = statistics("convnext_tiny", (-1, 1))
    assert mean == pytest.approx([2 * m - 1 for m in (0.485, 0.456, 0.406)])
    assert variance == pytest.approx([(2 * d) ** 2 for d in (0.229, 0.224, 0.225)])
