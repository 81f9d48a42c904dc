"""Muon's step on a convolution is the orthogonal factor of its momentum, seen as a matrix."""

import keras
import numpy as np
import pytest

from keras_cnn.training.muon import Muon

RATE = 0.5


def stepped(shape, path_name="kernel", **arguments):
    """(variable before, gradient, variable after one step without decay)."""
    random = np.random.default_rng(0)
    before, gradient = (random.normal(size=shape).astype(np.float32) for _ in range(2))
    variable = keras.Variable(before, name=path_name)
    Muon(RATE, weight_decay=None, adam_weight_decay=None, **arguments).apply([gradient], [variable])
    return before, gradient, keras.ops.convert_to_numpy(variable)


@pytest.mark.parametrize("shape", [(3, 3, 4, 8), (3, 3, 2, 40), (1, 1, 16, 5)])
def test_the_step_of_a_convolution_is_nearly_orthogonal(shape):
    before, gradient, after = stepped(shape)
    rows, columns = np.prod(shape[:3]), shape[3]
    step = (before - after).reshape(rows, columns) / (RATE * 0.2 * np.sqrt(max(rows, columns)))
    left, _, right = np.linalg.svd(gradient.reshape(rows, columns), full_matrices=False)
    # five Newton-Schulz steps bring singular values to between about 0.7 and 1.2, not to 1
    values = np.diag(left.T @ step @ right.T)
    assert np.all((values > 0.5) & (values < 1.4))
    np.testing.assert_allclose(left @ np.diag(values) @ right, step, atol=0.05)


def test_dense_kernels_step_as_in_keras():
    for shape in ((6, 4), (4, 6)):
        before, gradient, after = stepped(shape)
        variable = keras.Variable(before)
        keras.optimizers.Muon(RATE, weight_decay=None, adam_weight_decay=None).apply([gradient], [variable])
        np.testing.assert_allclose(after, keras.ops.convert_to_numpy(variable), rtol=1e-5)


@pytest.mark.parametrize("shape", [(7,), (7, 7, 5, 1)], ids=["bias", "depthwise"])
def test_the_rest_steps_as_adamw(shape):
    before, gradient, after = stepped(shape)
    np.testing.assert_allclose(after, before - RATE * np.sign(gradient), rtol=1e-3, atol=1e-3)


def test_excluded_layers_step_as_adamw():
    before, gradient, after = stepped((1, 1, 4, 3), "predictions", exclude_layers=["predictions"])
    np.testing.assert_allclose(after, before - RATE * np.sign(gradient), rtol=1e-3, atol=1e-3)
