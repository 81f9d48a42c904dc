"""What was measured of a net before and while it trained a little, as findings."""

import math
from collections.abc import Iterator

import keras

from keras_cnn.diagnosis.checks.inputs import badly_scaled, scale_numbers
from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.graph import bottleneck_layers, kernel_layers, output_width
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import (
    MAX_OVERFIT_LOSS_RATIO,
    SUFFICIENT_SCORE,
    UNTRAINABLE,
    overfit_loss_ratio,
)
from keras_cnn.diagnosis.probe.probe import Trace
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.diagnosis.suggestions import (
    BATCH_NORM,
    INITIALIZER,
    LEAKY,
    NEW_WEIGHTS,
    NORMALIZE,
    RELU,
    SKIP,
    Suggestion,
)

MIN_LOGIT_STD = 5e-3  # sd of the logits over images before training, below which outputs are constant
DEAD_SHARE, SATURATED_SHARE = 0.5, 0.5
FAR = 2.0  # times the chance loss, before training
SIGNAL_REMEDIES = ("initialization", "lsuv", "batch_normalization", "activation", "skip_connections")


def signal_findings(diagnosis: Diagnosis, model: keras.Model, sample: Sample) -> list[Finding]:
    """Findings on the number and the scale of the images, on the signal, the units and the width of the net."""
    found = [*_few(diagnosis, sample), *_narrow(diagnosis, model), *_inputs(diagnosis, model, sample)]
    return [*found, *_signal(diagnosis), *_units(diagnosis)]


def _few(diagnosis: Diagnosis, sample: Sample) -> Iterator[Finding]:
    if diagnosis.null_score_p999 > SUFFICIENT_SCORE:
        needed = math.ceil(len(sample) * diagnosis.null_score_p999 / SUFFICIENT_SCORE)
        yield Finding(
            "few_images",
            f"Only {sample.held_out} images could be held out, of which outputs that know nothing may tell "
            f"{min(1.0, diagnosis.null_score_p999):.0%} by luck.",
            "Whether the net learns is measured on images that are not trained on; of so few it cannot be told.",
            (Suggestion(f"diagnose with {needed} images or more", "a verdict that does not hang on luck"),),
            0.3,
            numbers={"held_out": sample.held_out, "by_luck": diagnosis.null_score_p999},
        )


def _inputs(diagnosis: Diagnosis, model: keras.Model, sample: Sample) -> Iterator[Finding]:
    if not badly_scaled(sample, model):
        return
    numbers = scale_numbers(sample)
    large = numbers["deviation"] > 1
    yield Finding(
        "inputs_not_normalized",
        f"The net is given numbers of mean {numbers['mean']:.3g} and deviation {numbers['deviation']:.3g}.",
        "Initializers assume inputs of about 1. "
        + (
            "Larger ones saturate the first layers, or throw the weights about."
            if large
            else "Of smaller ones almost nothing arrives: outputs are constant."
        ),
        (NORMALIZE,),
        0.9,
        numbers=numbers,
        remedies=("input_normalization",),
    )


def _signal(diagnosis: Diagnosis) -> Iterator[Finding]:
    signals = diagnosis.signals
    if signals is None:
        return
    numbers = {"logit_spread": signals.logit_std, "loss": signals.loss, "chance": diagnosis.chance}
    kernels = [layer for layer in signals.kernels if layer.ratio is not None]
    if kernels:
        numbers |= {
            "first_gradient_ratio": kernels[0].ratio or 0.0,
            "last_gradient_ratio": kernels[-1].ratio or 0.0,
        }
    if signals.logit_std < MIN_LOGIT_STD:
        layer = _fading_layer(diagnosis)
        yield Finding(
            "signal_fades",
            f"Before training the logits differ from image to image by {signals.logit_std:.1e}; in nets that learn at "
            "once by 0.01 to 1.",
            "What tells images apart fades on its way through the layers, so the net learns the frequencies of the "
            "classes and nothing else. Sigmoid hands on a quarter of the signal at most, ReLU with Glorot's "
            "initializer half of its variance, small weights less.",
            (INITIALIZER, BATCH_NORM, RELU, SKIP),
            0.8,
            layer,
            numbers,
            SIGNAL_REMEDIES,
        )
    if not signals.finite or signals.loss > FAR * diagnosis.chance:
        yield Finding(
            "loss_far_above_chance",
            f"Before training the loss is {signals.loss:.3g}, that of a net which knows nothing {diagnosis.chance:.3g}.",
            "Weights or inputs are so large that the net is sure of its guesses before it has learnt anything.",
            (NORMALIZE, INITIALIZER, BATCH_NORM),
            0.6,
            numbers=numbers,
            remedies=("initialization", "lsuv", "input_normalization", "batch_normalization"),
        )


def _fading_layer(diagnosis: Diagnosis) -> str:
    """The first layer after which images differ by less than a hundredth of the most before it."""
    most = 0.0
    for layer in diagnosis.signals.layers if diagnosis.signals else []:
        most = max(most, layer.std_over_images)
        if layer.std_over_images < 0.01 * most:
            return layer.name
    return ""


def _units(diagnosis: Diagnosis) -> Iterator[Finding]:
    layers = diagnosis.signals.layers if diagnosis.signals else []
    dead = [layer for layer in layers if layer.dead is not None and layer.dead > DEAD_SHARE]
    if dead:
        worst = max(dead, key=lambda layer: layer.dead or 0)
        yield Finding(
            "dead_units",
            f"{worst.dead:.0%} of its units are 0 for every image"
            + (f", as in {len(dead)} layers." if dead[1:] else "."),
            "Where ReLU is 0 no gradient passes: such a unit does not learn, and a layer of them stops all before it.",
            (NEW_WEIGHTS, BATCH_NORM, LEAKY),
            0.97 if worst.dead == 1 else 0.6,
            worst.name,
            {"dead": worst.dead or 0.0},
            ("initialization", "lsuv", "batch_normalization", "activation"),
        )
    full = [layer for layer in layers if layer.saturated is not None and layer.saturated > SATURATED_SHARE]
    if full:
        worst = max(full, key=lambda layer: layer.saturated or 0)
        yield Finding(
            "saturated_units",
            f"{worst.saturated:.0%} of its outputs lie at the bounds of {worst.kind}.",
            "There the activation is flat: a hundredth of the gradient passes, or less.",
            (NORMALIZE, INITIALIZER, BATCH_NORM, RELU),
            0.6,
            worst.name,
            {"saturated": worst.saturated or 0.0},
            ("input_normalization", "initialization", "batch_normalization", "activation"),
        )


def too_narrow(model: keras.Model, overfit: Trace, chance: float) -> bool:
    """Whether few numbers of an image pass through a layer, and so the net cannot learn 16 images by heart."""
    return _bottleneck(model) is not None and overfit_loss_ratio(overfit, chance) > MAX_OVERFIT_LOSS_RATIO


def _bottleneck(model: keras.Model) -> tuple[str, int] | None:
    """(layer, numbers an image is reduced to) where these are fewer than half the classes; None if nowhere."""
    found = _narrowest(model)
    return found if found and found[1] < (output_width(model) or 0) / 2 else None


def _narrow(diagnosis: Diagnosis, model: keras.Model) -> Iterator[Finding]:
    found = _bottleneck(model)
    if diagnosis.overfit is None or found is None:
        return
    if too_narrow(model, diagnosis.overfit, diagnosis.chance) or diagnosis.verdict == UNTRAINABLE:
        (name, width), classes = found, output_width(model)
        left = overfit_loss_ratio(diagnosis.overfit, diagnosis.chance)
        yield Finding(
            "too_narrow",
            f"All the net knows of an image passes through {width} number{'s' * (width > 1)}, for {classes} classes; "
            f"of 16 images to learn by heart {left:.2f} of the chance loss is left after "
            f"{len(diagnosis.overfit.losses)} steps.",
            "The net is too small: what tells the classes apart does not fit through this layer.",
            (
                Suggestion(
                    "flatten instead of averaging over the image",
                    "more numbers of each image, if it has a size left",
                ),
                Suggestion(
                    "more filters or units there",
                    "the 16 images can be learnt by heart; time grows with the width",
                ),
            ),
            0.92,
            name,
            {"width": float(width), "by_heart": left},
            ("widen",),
        )


def _narrowest(model: keras.Model) -> tuple[str, int] | None:
    """(layer, numbers an image is reduced to) at the narrowest place before the last kernel; None if unknown."""
    kernels = kernel_layers(model)
    sizes = []
    for layer in bottleneck_layers(model):
        if kernels and layer is kernels[-1]:
            break
        shape = tuple(layer.output.shape[1:]) if getattr(model, "outputs", None) else (None,)
        if None not in shape:
            sizes.append((layer.name, math.prod(shape)))
    return min(sizes, key=lambda one: one[1]) if sizes else None
