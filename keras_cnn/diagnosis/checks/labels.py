"""Do the labels belong to the images, and are they what the net and its loss expect? Asked of the data alone."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
from scipy.stats import binomtest

from keras_cnn.diagnosis.checks.outputs import CLASSES_OF_LOSS
from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.probe.baseline import classes_of_images, small_pictures
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import (
    class_frequencies,
    compiled_loss,
    loss_name,
    output_shape,
    takes,
)
from keras_cnn.diagnosis.suggestions import INSPECT_SAMPLES, Suggestion

FEWEST = 200  # images from which agreement can be told from chance
CERTAIN = 1e-3  # probability by chance below which agreement counts
NEIGHBORS = 5
SIGNED = ("hinge", "squared_hinge")  # losses of classes -1 and 1


def label_findings(sample: Sample, model: keras.Model) -> list[Finding]:
    """Findings on the labels, beside what the net and its loss expect."""
    shape = output_shape(model, sample.x)
    width, loss = shape[-1], compiled_loss(model)
    found = list(_range(sample, loss, width)) or [*_one_class(sample, width), *_agreement(sample, width)]
    return [*found, *_form(sample, loss, shape)]


def _form(sample: Sample, loss: Callable | None, shape: tuple[int, ...]) -> Iterator[Finding]:
    """Are labels numbers of classes where the loss wants a number for each class, or the other way round?"""
    y = sample.y
    if loss is None or takes(loss, y, shape):
        return
    runs = "training begins; before that `fit` refuses"
    told = [("give labels of the outputs' shape, or numbers of classes", runs)]
    if y.ndim == len(shape):
        told = [
            ("use sparse_categorical_crossentropy", runs),
            (f"keras.utils.to_categorical(y, {shape[-1]})", "the same, for more memory"),
        ]
    elif y.shape[1:] == shape:
        told = [("use categorical_crossentropy", runs), ("y.argmax(-1)", "the same, for less memory")]
    yield Finding(
        "labels_of_another_form",
        f"{loss_name(loss) or 'the loss'} cannot be computed of labels {y.shape} and outputs {(len(y), *shape)}.",
        "Labels are either numbers of classes, for which losses are called sparse, or a number for each class.",
        tuple(Suggestion(*one) for one in told),
        1.0,
        remedies=("output_and_loss",),
    )


def _range(sample: Sample, loss: Callable | None, width: int) -> Iterator[Finding]:
    classes, name = max(2, width), loss_name(loss) if loss else ""
    if width > 1 and sample.y.ndim > 1 and sample.y.shape[-1] == width:  # a number for each class
        return
    y = sample.y[sample.y != getattr(loss, "ignore_class", None)]
    least = -1 if name in SIGNED else 0
    if (width == 1 and name in CLASSES_OF_LOSS) or not y.size or least <= y.min() <= y.max() < classes:
        return
    outputs = f"{width} outputs stand" if width > 1 else "one output stands"
    yield Finding(
        "labels_out_of_range",
        f"Labels go from {y.min():g} to {y.max():g}; {outputs} for classes 0 to {classes - 1}.",
        "The loss of such an image is NaN or below 0, or is taken of another class.",
        (
            Suggestion("count classes from 0", "a finite loss for every image"),
            Suggestion(
                f"give the net {int(y.max()) + 1} outputs", "the same, if all these classes are meant"
            ),
        ),
        1.0,
        numbers={"least": float(y.min()), "most": float(y.max())},
    )


def _one_class(sample: Sample, width: int) -> Iterator[Finding]:
    shares = class_frequencies(sample.y, width)
    if shares.max() > 0.99:
        yield Finding(
            "one_class",
            f"{shares.max():.0%} of the labels are class {int(shares.argmax())}.",
            "A net that always says this class is right nearly always; there is nothing else to learn.",
            (
                Suggestion("shuffle the data before batches are taken", "every batch holds several classes"),
                Suggestion("check how labels are read", "a mistake there shows at once"),
            ),
            0.95,
            numbers={"share": float(shares.max())},
        )


def _agreement(sample: Sample, width: int) -> Iterator[Finding]:
    """Images that look alike should bear the same class more often than by chance."""
    labels = classes_of_images(sample, width)
    if labels is None or len(labels) < FEWEST or sample.x.ndim != 4 or len(np.unique(labels)) < 2:
        return
    agreeing, expected = neighbors_agree(sample.x, labels)
    trials = len(labels) * NEIGHBORS
    # neighbors are not independent of each other: count each image once
    probability = binomtest(
        round(agreeing * len(labels)), len(labels), expected, alternative="greater"
    ).pvalue
    if probability > CERTAIN:
        yield Finding(
            "labels_unrelated",
            f"Of the {NEIGHBORS} images that look most alike {agreeing:.1%} share the class; by chance "
            f"{expected:.1%} would.",
            "The labels have nothing to do with how the images look: they are shuffled against the images, or the "
            "classes differ in nothing that survives in small pictures.",
            (
                INSPECT_SAMPLES,
                Suggestion(
                    "check that images and labels are shuffled together",
                    "the usual mistake; the same net learns then",
                ),
            ),
            0.9,
            numbers={"agreeing": agreeing, "by_chance": expected, "comparisons": float(trials)},
        )


def neighbors_agree(x: np.ndarray, labels: np.ndarray, most: int = 2000) -> tuple[float, float]:
    """(share of the nearest images that bear the same label, that share by chance); images as small pictures."""
    small, labels = small_pictures(x[:most]), labels[:most]
    small = small - small.mean(axis=1, keepdims=True)
    small /= np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-12)
    alike = small @ small.T
    np.fill_diagonal(alike, -np.inf)
    nearest = np.argpartition(-alike, min(NEIGHBORS, len(small) - 2), axis=1)[:, :NEIGHBORS]
    counts = np.unique(labels, return_counts=True)[1].astype("float64")
    null_score_p999 = float((counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1)))
    return float((labels[nearest] == labels[:, None]).mean()), null_score_p999
