"""Arrays shuffled by seed and epoch, as the arguments of `fit`."""

import keras
import numpy as np
import pytest

from tuning.tuners import arrays
from tuning.tuners.arrays import shuffled_by_epoch

X = np.arange(10, dtype="float32")[:, None]
Y = np.arange(10)


def orders(kwargs: dict) -> list[list[int]]:
    """The images of each epoch, in order."""
    seen = np.concatenate([y.numpy() for _, y, *_ in kwargs["x"]])
    return seen.reshape(-1, len(set(seen))).tolist()


def test_every_epoch_has_each_image_once_in_an_order_of_its_own():
    _, kwargs = shuffled_by_epoch((X, Y), {"epochs": 3, "batch_size": 4}, seed=7, initial_epoch=0)
    found = orders(kwargs)
    assert [sorted(epoch) for epoch in found] == [Y.tolist()] * 3
    assert len({tuple(epoch) for epoch in found}) == 3
    assert kwargs["steps_per_epoch"] == 3


def test_continued_training_has_the_orders_that_are_left():
    whole = orders(shuffled_by_epoch((X, Y), {"epochs": 3}, seed=7, initial_epoch=0)[1])
    rest = orders(shuffled_by_epoch((X, Y), {"epochs": 3}, seed=7, initial_epoch=2)[1])
    assert rest == whole[2:]


def test_validation_split_holds_out_what_keras_holds_out():
    weights = np.linspace(1, 2, 10)
    given = {"validation_split": 0.25, "sample_weight": weights}
    _, kwargs = shuffled_by_epoch((X, Y), given, seed=0, initial_epoch=0)
    assert sorted(orders(kwargs)[0]) == list(range(7))
    x, y, weight = kwargs["validation_data"]
    assert y.tolist() == [7, 8, 9] and x.tolist() == X[7:].tolist()
    assert weight == pytest.approx(weights[7:])


@pytest.mark.parametrize(
    "more",
    [
        *({"shuffle": False}, {"shuffle": "batch"}, {"steps_per_epoch": 2}, {"validation_split": 1.0}),
        *({"y": Y.astype(str)}, {"y": Y[:3]}),
    ],
)
def test_other_arguments_are_left_to_keras(more):
    given = {"x": X, "y": Y, **more}
    assert shuffled_by_epoch((), given, seed=0, initial_epoch=0) == ((), given)


def test_fit_in_the_same_order_equals_that_of_keras(monkeypatch):
    monkeypatch.setattr(arrays.tf.random.experimental, "stateless_shuffle", lambda values, seed: values)
    targets, given = X.astype("float64") ** 2, {"epochs": 2, "batch_size": 4, "verbose": 0}
    losses = []
    for in_order in (False, True):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
        more = {**given, "validation_split": 0.2, "class_weight": None}
        args, kwargs = (
            shuffled_by_epoch((X, targets), more, seed=0, initial_epoch=0)
            if in_order
            else ((X, targets), {**more, "shuffle": False})
        )
        losses.append(model.fit(*args, **kwargs).history)
    assert losses[0] == losses[1]
