"""Whether the labels fit the images, and whether they have the form and range that the model and its loss expect."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
from scipy.stats import binomtest

from keras_cnn.diagnosis.checks.outputs import CLASSES_OF_LOSS
from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.probe.baseline import classes_of_images, small_pictures
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import (
    class_frequencies,
    compiled_loss,
    loss_name,
    output_shape,
    takes,
)
from keras_cnn.diagnosis.suggestions import Suggestion

MIN_IMAGES = 200  # with fewer images the agreement of neighbors is not tested
MAX_P_VALUE = 1e-3  # of the binomial test, for labels that depend on the images
MAX_CLASS_SHARE = 0.99  # of the most frequent class
NEIGHBORS = 5
SIGNED = ("hinge", "squared_hinge")  # losses of classes -1 and 1


def label_findings(sample: Sample, model: keras.Model) -> list[Finding]:
    """Findings on the labels, compared with what the model and its loss expect."""
    shape = output_shape(model, sample.x)
    width, loss = shape[-1], compiled_loss(model)
    found = list(_range(sample, loss, width)) or [*_one_class(sample, width), *_agreement(sample, width)]
    return [*found, *_form(sample, loss, shape)]


def _form(sample: Sample, loss: Callable | None, shape: tuple[int, ...]) -> Iterator[Finding]:
    """Class indices where the loss expects one number per class, or the other way round."""
    y = sample.y
    if loss is None or takes(loss, y, shape):
        return
    effect = "`fit` accepts the labels"
    options = [("give labels of the outputs' shape, or class indices", effect)]
    if y.ndim == len(shape):
        options = [
            ("use sparse_categorical_crossentropy", effect),
            (f"convert the labels: keras.utils.to_categorical(y, {shape[-1]})", "the same, for more memory"),
        ]
    elif y.shape[1:] == shape:
        options = [
            ("use categorical_crossentropy", effect),
            ("convert the labels: y.argmax(-1)", "the same, for less memory"),
        ]
    message = (
        f"{loss_name(loss) or 'the loss'} cannot be computed from labels of shape {y.shape} and outputs of shape "
        f"{(len(y), *shape)}."
    )
    yield make_finding(
        "labels_of_another_form", message, 1.0, suggestions=[Suggestion(*option) for option in options]
    )


def _range(sample: Sample, loss: Callable | None, width: int) -> Iterator[Finding]:
    classes, name = max(2, width), loss_name(loss) if loss else ""
    if width > 1 and sample.y.ndim > 1 and sample.y.shape[-1] == width:  # one number per class
        return
    y = sample.y[sample.y != getattr(loss, "ignore_class", None)]
    minimum = -1 if name in SIGNED else 0
    if (width == 1 and name in CLASSES_OF_LOSS) or not y.size or minimum <= y.min() <= y.max() < classes:
        return
    outputs = f"{width} outputs represent" if width > 1 else "one output represents"
    yield make_finding(
        "labels_out_of_range",
        f"Labels range from {y.min():g} to {y.max():g}; {outputs} classes 0 to {classes - 1}.",
        1.0,
        numbers={"minimum": float(y.min()), "maximum": float(y.max())},
        suggestions=(
            Suggestion("number the classes from 0", "a finite loss for every image"),
            Suggestion(
                f"give the model {int(y.max()) + 1} outputs", "the same, if all these classes are meant"
            ),
        ),
    )


def _one_class(sample: Sample, width: int) -> Iterator[Finding]:
    shares = class_frequencies(sample.y, width)
    if shares.max() > MAX_CLASS_SHARE:
        message = f"{shares.max():.0%} of the labels are class {int(shares.argmax())}."
        yield make_finding("one_class", message, 0.95, numbers={"share": float(shares.max())})


def _agreement(sample: Sample, width: int) -> Iterator[Finding]:
    """Similar images should share a class more often than by chance."""
    labels = classes_of_images(sample, width)
    if labels is None or len(labels) < MIN_IMAGES or sample.x.ndim != 4 or len(np.unique(labels)) < 2:
        return
    agreeing, expected = neighbors_agree(sample.x, labels)
    # neighbors are not independent of each other: count each image once
    p_value = binomtest(round(agreeing * len(labels)), len(labels), expected, alternative="greater").pvalue
    if p_value > MAX_P_VALUE:
        comparisons = float(len(labels) * NEIGHBORS)
        yield make_finding(
            "labels_unrelated",
            f"Of the {NEIGHBORS} most similar images {agreeing:.1%} share the label; by chance {expected:.1%} would.",
            0.9,
            numbers={"agreeing": agreeing, "by_chance": expected, "comparisons": comparisons},
        )


def neighbors_agree(x: np.ndarray, labels: np.ndarray, max_images: int = 2000) -> tuple[float, float]:
    """How often the nearest neighbors of an image share its label; neighbors by cosine of 8x8 images.

    Args:
        x: images (N, H, W, C).
        labels: classes (N,).
        max_images: only so many, the first ones, are compared.

    Returns:
        (share of the `NEIGHBORS` nearest images with the same label, that share by chance), both in [0, 1].
    """
    small, labels = small_pictures(x[:max_images]), labels[:max_images]
    small = small - small.mean(axis=1, keepdims=True)
    small /= np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-12)
    similarity = small @ small.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argpartition(-similarity, min(NEIGHBORS, len(small) - 2), axis=1)[:, :NEIGHBORS]
    counts = np.unique(labels, return_counts=True)[1].astype("float64")
    by_chance = float((counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1)))
    return float((labels[nearest] == labels[:, None]).mean()), by_chance
