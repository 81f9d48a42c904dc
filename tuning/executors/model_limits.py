"""Limits of the size of a model, checked before it is trained."""

import keras

from keras_cnn.models.describe import describe
from tuning.trial import TrialSpec


class TooLarge(Exception):
    """A model is larger or slower than the search allows: a result of its hyperparameters, and no mistake.

    measured: what the trial's record is to hold of it.
    """

    def __init__(self, message: str, measured: dict | None = None):
        super().__init__(message)
        self.measured = measured or {}


def check_size(model: keras.Model, max_parameters: int | None, max_macs: int | None) -> None:
    """Raise TooLarge if `model` has more parameters or multiply-adds than these; None for no limit."""
    if max_parameters is not None and model.count_params() > max_parameters:
        raise TooLarge(f"{model.count_params():,} parameters are more than max_parameters={max_parameters:,}")
    if max_macs is not None and (macs := multiply_adds(model)) > max_macs:
        raise TooLarge(f"{macs:,} multiply-adds are more than max_macs={max_macs:,}")


def costs(model: keras.Model, spec: TrialSpec) -> dict:
    """What of the costs of a trial's model, beside its parameters, its record is to hold."""
    wanted = spec.max_macs is not None or "macs" in spec.objectives
    return {"macs": multiply_adds(model)} if wanted else {}


def multiply_adds(model: keras.Model) -> int:
    """Multiply-adds for one image of convolutions and dense layers, those of models inside it included."""
    functional = keras.Model(model.inputs, model.outputs)  # a Sequential lists no layer of its input
    inner = [layer for layer in functional.layers if isinstance(layer, keras.Model)]
    return describe(functional)["macs"] + sum(map(multiply_adds, inner))
