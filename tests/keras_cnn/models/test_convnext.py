"""ConvNeXt has the published counts and the outputs of keras.applications."""

import keras
import numpy as np
import pytest

from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from keras_cnn.models.layers import LayerScale, StochasticDepth
from keras_cnn.models.spec import ModelSpec
from keras_cnn.models.unallocated import unallocated

COUNTS = {
    "convnext_tiny": 28_589_128,
    "convnext_small": 50_223_688,
    "convnext_base": 88_591_464,
    "convnext_large": 197_767_336,
    "convnext_xlarge": 350_196_968,
}


def build(name, side=224, classes=1000, **changes) -> keras.Model:
    settings = {"activation": "gelu", "normalization": "none", "kernel_initializer": "zeros"} | changes
    return build_model(ModelSpec(name, (side, side, 3), classes, **settings))


LARGE = ("convnext_base", "convnext_large", "convnext_xlarge")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in COUNTS]
)
def test_counts_are_the_published_ones(name):
    with unallocated():
        model = build(name)
    assert model.count_params() == COUNTS[name]
    assert model.output.shape == (None, 1000)
    assert len(model.weights) == {"convnext_tiny": 182}.get(name, 344)


@pytest.mark.slow
def test_probabilities_equal_keras_applications():
    """A depthwise kernel is (7, 7, C, 1) here and (7, 7, 1, C), a grouped convolution's, there."""
    keras.utils.set_random_seed(0)
    reference = keras.applications.ConvNeXtTiny(
        weights=None, input_shape=(64, 64, 3), include_preprocessing=False, classes=7
    )
    random = np.random.default_rng(0)
    # layer scales of 1e-6 would hide the blocks
    weights = [w + random.normal(0, 0.1, w.shape) if w.ndim == 1 else w for w in reference.get_weights()]
    reference.set_weights(weights)
    model = build("convnext_tiny", 64, 7)
    model.set_weights([_ours(w, weight.shape) for w, weight in zip(weights, model.weights, strict=True)])
    images = random.normal(size=(2, 64, 64, 3)).astype(np.float32)
    expected, found = (net(images, training=False) for net in (reference, model))
    assert np.std(expected) > 1e-3
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def _ours(weight: np.ndarray, shape: tuple) -> np.ndarray:
    return weight.transpose(0, 1, 3, 2) if weight.ndim == 4 and weight.shape != shape else weight


def test_drop_path_rises_linearly_with_depth():
    options = {"stages": 1, "depth": 5, "width": 4, "drop_path_rate": 0.4}
    model = build("convnext", 16, 3, options=options)
    rates = [layer.rate for layer in model.layers if isinstance(layer, StochasticDepth)]
    np.testing.assert_allclose(rates, [0.1, 0.2, 0.3, 0.4])


def test_stochastic_depth_drops_whole_images_and_keeps_the_mean():
    x = np.ones((4000, 2, 2, 3), np.float32)
    y = keras.ops.convert_to_numpy(StochasticDepth(0.25, seed=0)(x, training=True))
    assert np.all(y == y[:, :1, :1, :1])
    assert set(np.unique(y).round(5)) == {0, np.float32(1 / 0.75).round(5)}
    assert y.mean() == pytest.approx(1, abs=0.03)
    np.testing.assert_array_equal(StochasticDepth(0.25)(x, training=False), x)
    again = StochasticDepth.from_config(StochasticDepth(0.25, seed=0).get_config())
    assert again.rate == 0.25


def test_layer_scale_multiplies_and_keeps_its_setting():
    layer = LayerScale(0.5)
    np.testing.assert_array_equal(layer(np.full((1, 2, 2, 3), 2.0)), np.ones((1, 2, 2, 3)))
    assert LayerScale.from_config(layer.get_config()).initial == 0.5


def test_a_patch_larger_than_the_image_allows_is_refused():
    with pytest.raises(InputError, match="too small"):
        build("convnext", 16, 3, options={"patch_size": 16})
