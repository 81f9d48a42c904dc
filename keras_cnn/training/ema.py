"""Weights that are saved and restored bit for bit; the moving average that is validated instead.

Keras's `SwapEMAWeights` exchanges weights and averages by additions, which rounds both at every validation.
"""

import contextlib
from collections.abc import Iterator, Sequence

import keras


@contextlib.contextmanager
def preserve_variables(model: keras.Model, variables: Sequence[keras.Variable]) -> Iterator[None]:
    """Whatever happens to these `variables` of `model` within it is undone."""
    values = [keras.ops.convert_to_numpy(variable) for variable in variables]
    try:
        yield
    finally:
        with model.distribute_strategy.scope():
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)


@contextlib.contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Within it, `model` has the exponential moving averages of its weights (Polyak & Juditsky 1992) as weights.

    Nothing happens where its optimizer keeps none.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # that of a loss scale
    if not optimizer.use_ema:
        yield
        return
    with preserve_variables(model, model.trainable_variables):
        with model.distribute_strategy.scope():
            optimizer.finalize_variable_values(model.trainable_variables)
        yield


class AveragedWeights(keras.callbacks.Callback):
    """Validate the averages instead of the weights. It must come before `BatchStatistics` in the list of callbacks."""

    def on_test_begin(self, logs=None):
        self._swapped = contextlib.ExitStack()
        self._swapped.enter_context(averaged(self.model))

    def on_test_end(self, logs=None):
        self._swapped.close()
