"""Findings on a model during training: units, gradients, updates, and the statistics of batch normalization."""

import keras

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import layers_of
from keras_cnn.diagnosis.graph.layer_signals import Signals
from keras_cnn.diagnosis.graph.moving_statistics import statistics_errors
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.suggestions import BATCH_NORM, LEAKY, NORMALIZE, RELU, SMALLER_RATE

# all set by hand
MAX_DEAD_SHARE, MAX_SATURATED_SHARE = 0.7, 0.7  # of the units, or outputs, of a layer
MIN_GRADIENT_RATIO, MAX_GRADIENT_RATIO = 1e-7, 1e3  # norm of a layer's gradient / norm of its kernel
MIN_LOSS_RATIO = 0.5  # loss / chance loss, below which small gradients are not a finding
MIN_UPDATE_RATIO, MAX_UPDATE_RATIO = 1e-7, 0.3  # norm of one update / norm of the kernel
FIRST_STEPS = 20  # in which large updates are not a finding
MAX_STATISTICS_ERROR_STD = (
    2.0  # error of the moving mean in standard deviations, or relative error of the scale
)
BATCH_NORM_IMAGES = 64


def state_findings(signals: Signals, chance: float) -> list[Finding]:
    """Findings on one measurement.

    Args:
        signals: of one batch.
        chance: loss of a model that predicts the class frequencies, in nats.
    """
    found = []
    dead = [layer for layer in signals.layers if (layer.dead or 0) > MAX_DEAD_SHARE]
    if dead:
        found.append(
            make_finding(
                "dead_units",
                f"{dead[0].dead:.0%} of the units are 0 for every image measured.",
                0.7,
                dead[0].name,
                {"dead": dead[0].dead or 0.0, "layers": len(dead)},
                suggestions=(SMALLER_RATE, BATCH_NORM, LEAKY),
                remedies=(),
            )
        )
    full = [layer for layer in signals.layers if (layer.saturated or 0) > MAX_SATURATED_SHARE]
    if full:
        found.append(
            make_finding(
                "saturated_units",
                f"{full[0].saturated:.0%} of the outputs are near the bounds of {full[0].kind}.",
                0.6,
                full[0].name,
                {"saturated": full[0].saturated or 0.0, "layers": len(full)},
                suggestions=(SMALLER_RATE, NORMALIZE, BATCH_NORM, RELU),
                remedies=(),
            )
        )
    ratios = {layer.name: layer.ratio for layer in signals.kernels if layer.ratio is not None}
    if ratios and min(ratios.values()) < MIN_GRADIENT_RATIO and signals.loss > MIN_LOSS_RATIO * chance:
        layer = min(ratios, key=lambda name: ratios[name])
        found.append(_gradient("gradients_vanish", layer, ratios[layer]))
    if ratios and max(ratios.values()) > MAX_GRADIENT_RATIO:
        layer = max(ratios, key=lambda name: ratios[name])
        found.append(_gradient("gradients_explode", layer, ratios[layer]))
    return found


def _gradient(name: str, layer: str, ratio: float) -> Finding:
    message = f"The norm of the gradient is {ratio:.1e} of the norm of the kernel."
    return make_finding(name, message, 0.6, layer, {"ratio": ratio})


def update_findings(ratios: dict[str, float], step: int) -> list[Finding]:
    """Findings on the size of one update.

    Args:
        ratios: layer -> norm of the update / norm of the kernel; about 1e-3 is usual.
        step: number of the update.
    """
    if not ratios:
        return []
    found = []
    layer = max(ratios, key=lambda name: ratios[name])
    if ratios[layer] > MAX_UPDATE_RATIO and step > FIRST_STEPS:
        found.append(_update("updates_too_large", layer, ratios[layer]))
    if ratios[layer] < MIN_UPDATE_RATIO:
        found.append(_update("updates_too_small", layer, ratios[layer]))
    return found


def _update(name: str, layer: str, ratio: float) -> Finding:
    message = f"One step changes the kernel by {ratio:.1e} of its norm; about 1e-3 is usual."
    return make_finding(name, message, 0.5, layer, {"ratio": ratio})


def batch_norm_findings(model: keras.Model, sample: Sample) -> list[Finding]:
    """At most one finding: moving statistics of batch normalization do not fit the batches.

    Args:
        model: the model, in any state of training.
        sample: images, of which the first 64 are used.
    """
    layers = [layer for layer in layers_of(model) if isinstance(layer, keras.layers.BatchNormalization)]
    if not layers:
        return []
    errors = statistics_errors(model, layers, sample.x[:BATCH_NORM_IMAGES])
    layer = max(errors, key=lambda name: errors[name])
    if errors[layer] < MAX_STATISTICS_ERROR_STD:
        return []
    message = f"Moving statistics of half of the channels are off by at least {errors[layer]:.1f} standard deviations."
    return [make_finding("batch_norm_disagrees", message, 0.6, layer, {"off": errors[layer]})]
