"""Grad-CAM against what it must be in closed form, and as it is served."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.data.overlays import heat_overlay, mask_overlay
from keras_cnn.models.build import build_model
from keras_cnn.models.grad_cam import feature_layer, grad_cam
from keras_cnn.models.registry import ARCHITECTURES
from keras_cnn.serving.endpoints import write_saved_model
from keras_cnn.serving.predictor import Predictor
from keras_cnn.training.make_model import best_model
from keras_cnn.training.run_directory import read_run
from tests.small_nets import QUICK, spec_of


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3), np.uint8)


def test_grad_cam_behind_a_global_average_is_the_class_activation_map(images):
    """Zhou et al. 2016: there the map of class c is the sum of w[k, c] times map k, over the places."""
    keras.utils.set_random_seed(0)
    given = keras.Input((12, 12, 3), name="images")
    maps = keras.layers.Conv2D(5, 3, activation="relu", name="maps")(given)
    scores = keras.layers.Dense(4, name="scores")(keras.layers.GlobalAveragePooling2D()(maps))
    model = keras.Model(given, keras.layers.Activation("softmax", name="probabilities")(scores))
    model.trainable = False  # as the body of a fine-tuned net
    classes = np.array([0, 3, 1], np.int32)
    features = keras.Model(given, maps).predict(images.astype(np.float32), verbose=0)
    weights = model.get_layer("scores").get_weights()[0][:, classes].T
    expected = np.maximum(np.einsum("bhwk,bk->bhw", features, weights), 0) / (10 * 10)
    np.testing.assert_allclose(grad_cam(model)(images, classes), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", sorted(QUICK))
def test_grad_cam_looks_at_the_last_layer_with_maps(name):
    """Of one architecture of each kind; the others have the same last layers."""
    model = build_model(spec_of(name, batch_norm=True))
    layer = feature_layer(model)
    if name == "mlp":
        assert layer is None and grad_cam(model) is None
        return
    assert np.prod(layer.output.shape[1:3]) > 1
    if ARCHITECTURES[name].task == "segmentation":
        assert grad_cam(model) is None
    else:
        assert isinstance(layer, keras.layers.Activation | keras.layers.Add)


def test_grad_cam_passes_over_maps_of_a_single_place():
    """Four stages leave 1x1 of 32x32, as those of the published ConvNeXts do."""
    model = build_model(spec_of("convnext", options={"stages": 4, "depth": 1, "width": 4}))
    layer = feature_layer(model)
    assert isinstance(layer, keras.layers.Add) and layer.output.shape[1:3] == (2, 2)


def test_saved_model_answers_the_grad_cam_of_the_model(exported, data, one_device):
    predictor, images = Predictor(exported), data.load_test().images[:20]
    run = read_run(exported.parents[1] / "run")
    expected = grad_cam(best_model(run.settings, run.facts, run.directory))
    for index, name in enumerate(data.facts.classes):
        maps = np.stack([predictor.grad_cam(image, name) for image in images])
        np.testing.assert_allclose(maps, expected(images, np.full(20, index, np.int32)), rtol=1e-4, atol=1e-6)
        assert maps.min() >= 0 and maps.max() > 0


@pytest.mark.slow
def test_grad_cam_of_a_model_without_maps_is_none(exported_masks, mask_data, tmp_path):
    assert Predictor(exported_masks).grad_cam(mask_data.train.images[0][:16, :16], "disc") is None
    model = build_model(spec_of("mlp"))
    write_saved_model(model, list("abcde"), str(tmp_path), whole_images=False)
    assert "grad_cam" not in tf.saved_model.load(tmp_path).signatures


def test_overlays_keep_the_size_and_mark_the_largest():
    gray = np.full((20, 30, 1), 100, np.uint8)
    heat = np.zeros((4, 6))
    assert (heat_overlay(gray, heat) == heat_overlay(gray, heat)[0, 0]).all()  # nothing speaks for it
    heat[0, 5] = 2.0
    overlay = heat_overlay(gray, heat).astype(int)
    assert overlay.shape == (20, 30, 3)
    assert np.unravel_index((overlay[..., 0] - overlay[..., 2]).argmax(), (20, 30)) >= (0, 25)
    mask = np.zeros((20, 30), int)
    mask[:, 15:] = 2
    colors = mask_overlay(gray, mask, 3)
    assert (colors[:, 0] == colors[0, 0]).all() and (colors[:, 20] != colors[0, 0]).any()
