"""Whether a model in training predicts as well as it trains: in inference mode, and on validation images."""

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import layers_of
from keras_cnn.diagnosis.graph.layer_signals import batch_images
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import Objective
from keras_cnn.training.ema import preserve_variables

# all set by hand
MIN_LOSS_RATIO = 2.0  # loss in inference mode, or of validation images / that of training images
MIN_LOSS_GAP = 0.3  # difference of these losses / chance loss
MIN_STATISTICS_GAP = (
    0.5  # difference of means / standard deviation, or of the logarithms of standard deviations
)


def inference_findings(model: keras.Model, sample: Sample, objective: Objective) -> list[Finding]:
    """At most one finding: the same images have a much higher loss in inference mode than in training mode.

    Args:
        model: with batch normalization; of others nothing is measured.
        sample: training images.
        objective: loss of the model.
    """
    layers = [layer for layer in layers_of(model) if isinstance(layer, keras.layers.BatchNormalization)]
    if not layers:
        return []
    training, inference = (loss_of(model, sample, objective, training=mode) for mode in (True, False))
    if not _is_higher(inference, training, objective.chance):
        return []
    message = (
        f"The same {batch_images(sample)} training images have a loss of {training:.3g} in training mode "
        f"and of {inference:.3g} in "
        "inference mode."
    )
    numbers = {"training": training, "inference": inference}
    return [make_finding("batch_norm_disagrees", message, 0.8, layers[0].name, numbers)]


def validation_findings(
    losses: list[float], inference: float, chance: float, train: Sample, validation: Sample | None
) -> list[Finding]:
    """At most one finding: validation images have had a much higher loss than training images from the first epoch on.

    Args:
        losses: of the validation after each epoch, in nats.
        inference: loss of training images in inference mode now.
        chance: loss of a model that predicts the class frequencies.
        train: training images.
        validation: validation images; None if they are not known.
    """
    if not losses or min(losses) < chance or not _is_higher(losses[-1], inference, chance):
        return []
    message = (
        f"The validation loss was {losses[0]:.3g} after the first epoch and is {losses[-1]:.3g}, never below chance "
        f"({chance:.3g}); training images have {inference:.3g} in the same mode."
    )
    numbers = {"validation": losses[-1], "training": inference, "chance": chance}
    differ = _statistics(train.x, validation.x) if validation is not None else ""
    confidence = 0.95 if differ else 0.7
    return [make_finding("validation_differs", message + differ, confidence, numbers=numbers)]


def loss_of(model: keras.Model, sample: Sample, objective: Objective, training: bool) -> float:
    """The loss of at most 64 images in training or inference mode, without penalties; variables are restored."""
    count = batch_images(sample)
    x, y = tf.convert_to_tensor(sample.x[:count]), tf.convert_to_tensor(sample.y[:count])
    with preserve_variables(model, model.variables):
        return float(tf.reduce_mean(objective.measure(y, model(x, training=training))))


def _is_higher(loss: float, than: float, chance: float) -> bool:
    return not loss <= MIN_LOSS_RATIO * than and not loss <= than + MIN_LOSS_GAP * chance


def _statistics(train: np.ndarray, validation: np.ndarray) -> str:
    """How the pixels of two sets differ; empty if they do not."""
    (mean, std), (other_mean, other_std) = ((x.mean(), max(x.std(), 1e-12)) for x in (train, validation))
    gap = max(abs(mean - other_mean) / std, abs(np.log(other_std / std)))
    if gap < MIN_STATISTICS_GAP:
        return ""
    return (
        f" Training images have mean {mean:.3g} and standard deviation {std:.3g}, validation "
        f"images {other_mean:.3g} and "
        f"{other_std:.3g}."
    )
