"""Ablations: train without one setting that may keep a model from learning, and see whether it learns then."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import keras
import numpy as np
from keras import ops

from keras_cnn.diagnosis.graph.graph import augmentation_layers, layers_of
from keras_cnn.diagnosis.graph.hooks import replaced_calls
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import final_score, is_above_noise
from keras_cnn.diagnosis.probe.learning_rate import optimizer_with
from keras_cnn.diagnosis.probe.objective import Objective
from keras_cnn.diagnosis.probe.probe import MEDIUM_RUN_STEPS, Probe
from keras_cnn.diagnosis.probe.trace import Trace

# from which on a run without the setting is made, which decides. Set by hand
MIN_PENALTY_RATIO = 0.3  # penalty of the initial weights / chance loss
MIN_DROPOUT = 0.6
MIN_NOISE = 0.3  # standard deviation added to a layer
MIN_DECAY_PER_STEP = 1e-4  # share of a weight that one step removes
MAX_CLIP_NORM, MAX_CLIP_VALUE = 0.05, 1e-3
GAIN = 2.0  # score without the setting / score with it, from which on it is a finding
NOISE_LAYERS = (keras.layers.GaussianNoise,)
DROPOUT_LAYERS = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.GaussianDropout,
    keras.layers.AlphaDropout,
)


@dataclass(frozen=True)
class Ablation:
    """A setting that may keep a model from learning.

    Args:
        finding: name of the finding that it becomes if the model learns without it.
        message: what was measured, as a clause.
        objective: without the setting.
        layers: that pass their inputs on in the run without it.
        numbers: name -> measured value.
    """

    finding: str
    message: str
    objective: Objective
    layers: tuple[keras.layers.Layer, ...]
    numbers: dict[str, float]


def ablations(model: keras.Model, objective: Objective) -> Iterator[Ablation]:
    """The settings of a model that are strong enough to keep it from learning."""
    yield from _penalty(model, objective)
    yield from _layers(model, objective, "dropout_too_high", DROPOUT_LAYERS, "rate", MIN_DROPOUT)
    yield from _layers(model, objective, "noise_too_strong", NOISE_LAYERS, "stddev", MIN_NOISE)
    yield from _augmentation(model, objective)
    yield from _optimizer(objective)


def run_without(
    model: keras.Model, sample: Sample, ablation: Ablation, own: Trace, sufficient: float
) -> Trace:
    """Train without the setting for as many steps as `own`, at most 480; variables are restored."""
    steps = min(MEDIUM_RUN_STEPS, len(own.losses))
    with replaced_calls(ablation.layers, lambda inputs, *_, **__: inputs):
        return Probe(model, sample, ablation.objective).run_own(
            steps, max(sufficient, GAIN * final_score(own))
        )


def learns_without(own: Trace, without: Trace) -> bool:
    """Whether the model learns without the setting, and scores twice as high as with it."""
    return is_above_noise(without) and final_score(without) >= GAIN * final_score(own)


def _penalty(model: keras.Model, objective: Objective) -> Iterator[Ablation]:
    penalty = float(np.sum([float(one) for one in model.losses])) if model.losses else 0.0
    if penalty > MIN_PENALTY_RATIO * objective.chance:
        free = replace(objective, loss=lambda x, y, outputs: ops.mean(objective.measure(y, outputs)))
        yield Ablation(
            "regularization_too_strong",
            f"The penalties of the regularizers add {penalty:.3g} to the loss, whose chance is {objective.chance:.3g}",
            free,
            (),
            {"penalty": penalty},
        )


def _layers(
    model: keras.Model, objective: Objective, finding: str, kinds: tuple, setting: str, least: float
) -> Iterator[Ablation]:
    strong = [one for one in layers_of(model) if isinstance(one, kinds) and getattr(one, setting, 0) >= least]
    if strong:
        most = max(strong, key=lambda one: getattr(one, setting))
        value = float(getattr(most, setting))
        message = (
            f"{len(strong)} layer{'s' * (len(strong) > 1)} of {type(most).__name__} with a "
            f"{setting} of up to {value:g}"
        )
        yield Ablation(finding, message, objective, tuple(strong), {setting: value})


def _augmentation(model: keras.Model, objective: Objective) -> Iterator[Ablation]:
    found = augmentation_layers(model)
    if found:
        names = ", ".join(type(one).__name__ for one in found)
        yield Ablation("augmentation_too_strong", f"Images pass through {names}", objective, tuple(found), {})


def _optimizer(objective: Objective) -> Iterator[Ablation]:
    optimizer = objective.optimizer()
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    decay, rate = float(inner.weight_decay or 0), objective.rate
    if decay * rate > MIN_DECAY_PER_STEP:
        message = (
            f"A weight decay of {decay:g} at a learning rate of {rate:.1e} takes "
            f"{decay * rate:.1%} of each weight per step"
        )
        yield _without(objective, "weight_decay_too_strong", message, decay, weight_decay=0.0)
    for setting, most in (
        ("clipnorm", MAX_CLIP_NORM),
        ("global_clipnorm", MAX_CLIP_NORM),
        ("clipvalue", MAX_CLIP_VALUE),
    ):
        value = getattr(inner, setting, None)
        if value is not None and value < most:
            message = f"Gradients are clipped by {setting}={value:g}"
            yield _without(objective, "clipping_too_tight", message, value, **{setting: None})


def _without(objective: Objective, finding: str, message: str, value: float, **changes) -> Ablation:
    make: Callable = partial(_changed, objective.optimizer, changes)
    return Ablation(finding, message, replace(objective, optimizer=make), (), {"value": float(value)})


def _changed(make: Callable[[], keras.optimizers.Optimizer], changes: dict) -> keras.optimizers.Optimizer:
    return optimizer_with(make(), **changes)
