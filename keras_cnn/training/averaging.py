"""The exponential moving average of the weights, where the optimizer keeps one (Polyak & Juditsky 1992).

Keras's `SwapEMAWeights` exchanges weights and averages by additions, which rounds both at every validation; here
the weights are set aside and come back bit for bit.
"""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Within it, `model` has the averages as its weights; nothing happens where its optimizer keeps none."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # that of a loss scale
    if not optimizer.use_ema:
        yield
        return
    with model.distribute_strategy.scope():
        weights = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_variables]
        optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        with model.distribute_strategy.scope():
            for variable, weight in zip(model.trainable_variables, weights, strict=True):
                variable.assign(weight)


class AveragedWeights(keras.callbacks.Callback):
    """Validate the averages instead of the weights. It must stand before `BatchStatistics`."""

    def on_test_begin(self, logs=None):
        self._swapped = contextlib.ExitStack()
        self._swapped.enter_context(averaged(self.model))

    def on_test_end(self, logs=None):
        self._swapped.close()
