"""Findings from one forward and backward pass and from the probe runs: signal, units, width, inputs."""

import math
from collections.abc import Iterator

import keras

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import (
    activation_of,
    bottleneck_layers,
    kernel_layers,
    layers_of,
    output_width,
)
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import (
    HEALTHY,
    MAX_OVERFIT_LOSS_RATIO,
    SUFFICIENT_SCORE,
    UNTRAINABLE,
    overfit_loss_ratio,
)
from keras_cnn.diagnosis.probe.trace import Trace
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.diagnosis.suggestions import Suggestion

# set on seventeen generated families, benchmarks/diagnosis.py, 2026-11-25
MIN_LOGIT_STD = 5e-3  # standard deviation of the logits over images before training
MAX_LOSS_RATIO = 2.0  # loss before training / chance loss
# set by hand
MAX_DEAD_SHARE, MAX_SATURATED_SHARE = 0.5, 0.5  # of the units, or outputs, of a layer
MAX_OUTPUT = 1e4  # absolute mean + standard deviation of a layer's outputs
EXPONENTIAL = "exponential"
FADED_STD_RATIO = 0.01  # standard deviation over images / the largest of the layers before


def signal_findings(diagnosis: Diagnosis, model: keras.Model, sample: Sample) -> list[Finding]:
    """Findings on the number and scale of the images, and on the width, the signal and the units of the model.

    Args:
        diagnosis: with verdict, signals and traces.
        model: the model that was diagnosed.
        sample: the images it was diagnosed with.
    """
    found = [*_few(diagnosis, sample), *_narrow(diagnosis, model)]
    return [*found, *_signal(diagnosis), *_units(diagnosis), *_overflow(diagnosis, model)]


def _few(diagnosis: Diagnosis, sample: Sample) -> Iterator[Finding]:
    by_chance = diagnosis.null_score_p999
    if by_chance > SUFFICIENT_SCORE:
        needed = math.ceil(len(sample) * by_chance / SUFFICIENT_SCORE)
        suggestion = Suggestion(
            f"diagnose with {needed} images or more", "a verdict that does not depend on chance"
        )
        yield make_finding(
            "few_images",
            f"Only {sample.held_out} images could be held out; on them uninformative outputs score up to "
            f"{min(1.0, by_chance):.0%} by chance.",
            0.3,
            numbers={"held_out": sample.held_out, "null_score_p999": by_chance},
            suggestions=(suggestion,),
        )


def _signal(diagnosis: Diagnosis) -> Iterator[Finding]:
    signals = diagnosis.signals
    if signals is None:
        return
    numbers = {"logit_std": signals.logit_std, "loss": signals.loss, "chance": diagnosis.chance}
    kernels = [layer for layer in signals.kernels if layer.ratio is not None]
    if kernels:
        numbers["first_gradient_ratio"] = kernels[0].ratio or 0.0
        numbers["last_gradient_ratio"] = kernels[-1].ratio or 0.0
    if signals.logit_std < MIN_LOGIT_STD:
        message = (
            f"Before training the standard deviation of the logits over images is {signals.logit_std:.1e}; models that "
            "learn at once have 0.01 to 1."
        )
        yield make_finding("signal_fades", message, 0.8, _fading_layer(diagnosis), numbers)
    if not signals.finite or signals.loss > MAX_LOSS_RATIO * max(diagnosis.chance, diagnosis.uniform):
        message = f"Before training the loss is {signals.loss:.3g}; chance is {diagnosis.chance:.3g}."
        yield make_finding("loss_far_above_chance", message, 0.6, numbers=numbers)


def _overflow(diagnosis: Diagnosis, model: keras.Model) -> Iterator[Finding]:
    """The first layer whose outputs are out of range, or the first exponential one of a model that does not learn."""
    for layer in diagnosis.signals.layers if diagnosis.signals else []:
        size = (
            abs(layer.mean) + math.sqrt(max(0.0, layer.variance))
            if math.isfinite(layer.variance)
            else math.inf
        )
        if not size <= MAX_OUTPUT:
            message = f"The outputs of {layer.name} ({layer.kind}) reach {size:.1e} before training."
            grave = layer.kind == EXPONENTIAL or not math.isfinite(size)
            yield make_finding("values_overflow", message, 0.93 if grave else 0.6, layer.name, {"size": size})
            return
    exponential = [one for one in layers_of(model)[:-1] if activation_of(one) == EXPONENTIAL]
    if exponential and diagnosis.verdict != HEALTHY:
        message = f"{len(exponential)} hidden layers have an exponential activation, whose outputs grow without bound."
        yield make_finding("values_overflow", message, 0.9, exponential[0].name)


def _fading_layer(diagnosis: Diagnosis) -> str:
    """The first layer whose outputs differ between images by less than 1 % of those of a layer before it."""
    largest = 0.0
    for layer in diagnosis.signals.layers if diagnosis.signals else []:
        largest = max(largest, layer.std_over_images)
        if layer.std_over_images < FADED_STD_RATIO * largest:
            return layer.name
    return ""


def _units(diagnosis: Diagnosis) -> Iterator[Finding]:
    layers = diagnosis.signals.layers if diagnosis.signals else []
    dead = [layer for layer in layers if layer.dead is not None and layer.dead > MAX_DEAD_SHARE]
    if dead:
        worst = max(dead, key=lambda layer: layer.dead or 0)
        where = f"; {len(dead)} layers have more than {MAX_DEAD_SHARE:.0%}." if dead[1:] else "."
        yield make_finding(
            "dead_units",
            f"{worst.dead:.0%} of the units are 0 for every image{where}",
            0.97 if worst.dead == 1 else 0.6,
            worst.name,
            {"dead": worst.dead or 0.0},
        )
    full = [
        layer for layer in layers if layer.saturated is not None and layer.saturated > MAX_SATURATED_SHARE
    ]
    if full:
        worst = max(full, key=lambda layer: layer.saturated or 0)
        message = f"{worst.saturated:.0%} of the outputs are near the bounds of {worst.kind}."
        yield make_finding("saturated_units", message, 0.6, worst.name, {"saturated": worst.saturated or 0.0})


def too_narrow(model: keras.Model, overfit: Trace, chance: float) -> bool:
    """Whether the model has a bottleneck and cannot overfit 16 images.

    Args:
        model: the model.
        overfit: its training on one batch of 16 images.
        chance: loss of a model that predicts the class frequencies, in nats.
    """
    return _bottleneck(model) is not None and overfit_loss_ratio(overfit, chance) > MAX_OVERFIT_LOSS_RATIO


def _bottleneck(model: keras.Model) -> tuple[str, int] | None:
    """(layer, numbers per image) of the narrowest layer, if these are fewer than half the classes; else None."""
    found = _narrowest(model)
    return found if found and found[1] < (output_width(model) or 0) / 2 else None


def _narrow(diagnosis: Diagnosis, model: keras.Model) -> Iterator[Finding]:
    found = _bottleneck(model)
    if diagnosis.overfit is None or found is None:
        return
    if too_narrow(model, diagnosis.overfit, diagnosis.chance) or diagnosis.verdict == UNTRAINABLE:
        name, width = found
        ratio = overfit_loss_ratio(diagnosis.overfit, diagnosis.chance)
        yield make_finding(
            "too_narrow",
            f"The layer reduces each image to {width} number{'s' * (width > 1)}, for {output_width(model)} classes; "
            f"after {len(diagnosis.overfit.losses)} steps on 16 images the loss is {ratio:.2f} of chance.",
            0.92,
            name,
            {"width": float(width), "overfit_loss_ratio": ratio},
        )


def _narrowest(model: keras.Model) -> tuple[str, int] | None:
    """(layer, numbers per image) of the narrowest bottleneck before the last kernel; None if no shape is known."""
    kernels = kernel_layers(model)
    sizes = []
    for layer in bottleneck_layers(model):
        if kernels and layer is kernels[-1]:
            break
        shape = tuple(layer.output.shape[1:]) if getattr(model, "outputs", None) else (None,)
        if None not in shape:
            sizes.append((layer.name, math.prod(shape)))
    return min(sizes, key=lambda one: one[1]) if sizes else None
