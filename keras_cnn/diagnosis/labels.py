"""Do the labels belong to the images, and are they what the net and its loss expect? Asked of the data alone."""

from collections.abc import Iterator

import keras
import numpy as np
from scipy.stats import binomtest

from keras_cnn.diagnosis.cures import LOOK, Cure
from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.objective import class_frequencies, compiled_loss, loss_name, output_shape, takes
from keras_cnn.diagnosis.sample import Sample

SIDE = 8  # images are averaged to 8x8 before they are compared
FEWEST = 200  # images from which agreement can be told from chance
CERTAIN = 1e-3  # probability by chance below which agreement counts
NEIGHBOURS = 5


def label_findings(sample: Sample, model: keras.Model) -> list[Finding]:
    """Findings on the labels, beside what the net and its loss expect."""
    shape = output_shape(model, sample.x)
    return [*_classes(sample, shape[-1]), *_agreement(sample, shape[-1]), *_form(sample, model, shape)]


def _form(sample: Sample, model: keras.Model, shape: tuple[int, ...]) -> Iterator[Finding]:
    """Are labels numbers of classes where the loss wants a number for each class, or the other way round?"""
    loss, y = compiled_loss(model), sample.y
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
        tuple(Cure(*one) for one in told),
        1.0,
        remedies=("output_and_loss",),
    )


def _classes(sample: Sample, width: int) -> Iterator[Finding]:
    y = sample.y
    if width < 2:
        return
    whole = y.ndim > 1 and y.shape[-1] == width
    if not whole and (y.min() < 0 or y.max() >= width):
        yield Finding(
            "labels_out_of_range",
            f"Labels go from {y.min()} to {y.max()}; {width} outputs stand for classes 0 to {width - 1}.",
            "The loss of such an image is NaN, or is taken of another class.",
            (
                Cure("count classes from 0", "a finite loss for every image"),
                Cure(f"give the net {int(y.max()) + 1} outputs", "the same, if all these classes are meant"),
            ),
            1.0,
            numbers={"least": float(y.min()), "most": float(y.max())},
        )
        return
    shares = class_frequencies(y, width)
    if shares.max() > 0.99:
        yield Finding(
            "one_class",
            f"{shares.max():.0%} of the labels are class {int(shares.argmax())}.",
            "A net that always says this class is right nearly always; there is nothing else to learn.",
            (
                Cure("shuffle the data before batches are taken", "every batch holds several classes"),
                Cure("check how labels are read", "a mistake there shows at once"),
            ),
            0.95,
            numbers={"share": float(shares.max())},
        )


def _agreement(sample: Sample, width: int) -> Iterator[Finding]:
    """Images that look alike should bear the same class more often than by chance."""
    labels = sample.y.argmax(-1) if sample.y.ndim == 2 and sample.y.shape[-1] == width else sample.y.ravel()
    if len(labels) != len(sample) or len(sample) < FEWEST or sample.x.ndim != 4 or len(np.unique(labels)) < 2:
        return
    agreeing, expected = neighbours_agree(sample.x, labels)
    trials = len(labels) * NEIGHBOURS
    # neighbours are not independent of each other: count each image once
    probability = binomtest(
        round(agreeing * len(labels)), len(labels), expected, alternative="greater"
    ).pvalue
    if probability > CERTAIN:
        yield Finding(
            "labels_unrelated",
            f"Of the {NEIGHBOURS} images that look most alike {agreeing:.1%} share the class; by chance "
            f"{expected:.1%} would.",
            "The labels have nothing to do with how the images look: they are shuffled against the images, or the "
            "classes differ in nothing that survives in small pictures.",
            (
                LOOK,
                Cure(
                    "check that images and labels are shuffled together",
                    "the usual mistake; the same net learns then",
                ),
            ),
            0.9,
            numbers={"agreeing": agreeing, "by_chance": expected, "comparisons": float(trials)},
        )


def neighbours_agree(x: np.ndarray, labels: np.ndarray, most: int = 2000) -> tuple[float, float]:
    """(share of the nearest images that bear the same label, that share by chance); images as small pictures."""
    x, labels = x[:most].astype("float32"), labels[:most]
    small = _shrunk(x).reshape(len(x), -1)
    small = small - small.mean(axis=1, keepdims=True)
    small /= np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-12)
    alike = small @ small.T
    np.fill_diagonal(alike, -np.inf)
    nearest = np.argpartition(-alike, min(NEIGHBOURS, len(x) - 2), axis=1)[:, :NEIGHBOURS]
    counts = np.unique(labels, return_counts=True)[1].astype("float64")
    by_chance = float((counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1)))
    return float((labels[nearest] == labels[:, None]).mean()), by_chance


def _shrunk(x: np.ndarray) -> np.ndarray:
    """(N, H, W, C) -> about (N, 8, 8, C), means of blocks."""
    rows, columns = max(1, x.shape[1] // SIDE), max(1, x.shape[2] // SIDE)
    x = x[:, : x.shape[1] // rows * rows, : x.shape[2] // columns * columns]
    return x.reshape(len(x), x.shape[1] // rows, rows, x.shape[2] // columns, columns, -1).mean(axis=(2, 4))
