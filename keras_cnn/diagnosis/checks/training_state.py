"""What a net is like in the middle of its training: signals, updates, and batch normalization's statistics."""

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.graph import layers_of
from keras_cnn.diagnosis.graph.hooks import forward_hooks
from keras_cnn.diagnosis.graph.layer_signals import Signals
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.suggestions import (
    BATCH_NORM,
    CLIP,
    INITIALIZER,
    LEAKY,
    LR_FIND,
    NORMALIZE,
    RELU,
    SMALLER_RATE,
    TEN_TIMES,
    Suggestion,
)

DEAD_UNITS_SHARE, SATURATED_UNITS_SHARE = 0.7, 0.7
VANISHES, EXPLODES = 1e-7, 1e3  # gradient by weight of a layer
SMALL, LARGE = 1e-7, 0.3  # size of one update by that of the kernel
OFF = (
    2.0  # deviations by which the moving statistics miss the mean of a batch, or times those of its deviation
)
IMAGES = 64


def state_findings(signals: Signals, chance: float) -> list[Finding]:
    """Findings on one measurement; layers by name."""
    found = []
    dead = [layer for layer in signals.layers if (layer.dead or 0) > DEAD_UNITS_SHARE]
    if dead:
        found.append(
            Finding(
                "dead_units",
                f"{dead[0].dead:.0%} of its units are 0 for every image measured.",
                "Where ReLU is 0 no gradient passes, so such units do not come back.",
                (SMALLER_RATE, BATCH_NORM, LEAKY),
                0.7,
                dead[0].name,
                {"dead": dead[0].dead or 0.0, "layers": len(dead)},
            )
        )
    full = [layer for layer in signals.layers if (layer.saturated or 0) > SATURATED_UNITS_SHARE]
    if full:
        found.append(
            Finding(
                "saturated_units",
                f"{full[0].saturated:.0%} of its outputs lie at the bounds of {full[0].kind}.",
                "There the activation is flat and hardly any gradient passes.",
                (SMALLER_RATE, NORMALIZE, BATCH_NORM, RELU),
                0.6,
                full[0].name,
                {"saturated": full[0].saturated or 0.0, "layers": len(full)},
            )
        )
    ratios = {layer.name: layer.ratio for layer in signals.kernels if layer.ratio is not None}
    if ratios and min(ratios.values()) < VANISHES and signals.loss > 0.5 * chance:
        layer = min(ratios, key=lambda name: ratios[name])
        found.append(_gradient("gradients_vanish", layer, ratios[layer], "does not learn", BATCH_NORM))
    if ratios and max(ratios.values()) > EXPLODES:
        layer = max(ratios, key=lambda name: ratios[name])
        found.append(_gradient("gradients_explode", layer, ratios[layer], "is thrown about", CLIP))
    return found


def _gradient(name: str, layer: str, ratio: float, fate: str, suggestion: Suggestion) -> Finding:
    return Finding(
        name,
        f"Its gradient is {ratio:.1e} of its kernel, so the layer {fate}.",
        "The gradient is multiplied layer by layer on its way back; weights, activation and depth decide by what.",
        (suggestion, INITIALIZER),
        0.6,
        layer,
        {"ratio": ratio},
    )


def update_findings(ratios: dict[str, float], step: int) -> list[Finding]:
    """Findings on the size of one update by layer; about 1e-3 is usual."""
    found = []
    if ratios and max(ratios.values()) > LARGE and step > 20:
        layer = max(ratios, key=lambda name: ratios[name])
        found.append(_update("updates_too_large", layer, ratios[layer], SMALLER_RATE))
    if ratios and max(ratios.values()) < SMALL:
        layer = max(ratios, key=lambda name: ratios[name])
        found.append(_update("updates_too_small", layer, ratios[layer], TEN_TIMES))
    return found


def _update(name: str, layer: str, ratio: float, suggestion: Suggestion) -> Finding:
    return Finding(
        name,
        f"One step changes its kernel by {ratio:.1e} of its size; about 1e-3 is usual.",
        "The learning rate does not suit the weights.",
        (suggestion, LR_FIND),
        0.5,
        layer,
        {"ratio": ratio},
    )


def batch_norm_findings(model: keras.Model, sample: Sample) -> list[Finding]:
    """A finding where batch normalization's moving statistics do not describe the batches it sees.

    With its moving statistics a layer's outputs have the mean beta and the deviation |gamma|, if those fit.
    """
    worst: dict[str, float] = {}

    def on_output(layer, outputs) -> None:
        values = outputs.numpy().astype("float64").reshape(-1, outputs.shape[-1])
        gamma = np.abs(layer.gamma.numpy()) if layer.scale else np.ones(values.shape[1])
        beta = layer.beta.numpy() if layer.center else np.zeros(values.shape[1])
        gamma = np.maximum(gamma, 1e-3)
        shift = np.abs(values.mean(axis=0) - beta) / gamma
        scale = np.maximum(values.std(axis=0), 1e-6) / gamma
        worst[layer.name] = float(np.median(np.maximum(shift, np.maximum(scale, 1 / scale) - 1)))

    layers = [layer for layer in layers_of(model) if isinstance(layer, keras.layers.BatchNormalization)]
    if not layers:
        return []
    with forward_hooks(layers, on_output):
        model(tf.convert_to_tensor(sample.x[:IMAGES]), training=False)
    layer = max(worst, key=lambda name: worst[name])
    if worst[layer] < OFF:
        return []
    return [
        Finding(
            "batch_norm_disagrees",
            f"With its moving statistics half of its channels are off by {worst[layer]:.1f} deviations or more.",
            "Validation and predictions use the moving statistics: they are worse than training says. The "
            "average forgets too slowly (momentum 0.99 needs 500 steps), or batches differ from each other.",
            (
                Suggestion("momentum 0.9", "the average follows within 50 steps instead of 500"),
                Suggestion(
                    "keras_cnn's BatchNormalization and train",
                    "statistics estimated anew for the weights as they are",
                ),
                Suggestion("larger, shuffled batches", "batches that resemble each other"),
            ),
            0.6,
            layer,
            {"off": worst[layer]},
        )
    ]
