"""Whether the labels depend on the images, and how they are distributed."""

from collections.abc import Iterator

import numpy as np
from scipy.stats import binomtest

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.probe.baseline import classes_of_images, small_pictures
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import class_frequencies

MIN_IMAGES = 200  # with fewer images the agreement of neighbors is not tested
MAX_P_VALUE = 1e-3  # of the binomial test, for labels that depend on the images
MAX_CLASS_SHARE = 0.99  # of the most frequent class
NEIGHBORS = 5
# set by hand
IMBALANCED_SHARE = 0.8  # of the most frequent class
MIN_CONTRADICTING_SHARE, GRAVE_CONTRADICTING_SHARE = 0.01, 0.2  # of images that have copies with other labels


def relation_findings(sample: Sample, width: int) -> Iterator[Finding]:
    """Findings on labels of the right form and range.

    Args:
        sample: images and labels.
        width: number of outputs of the model.
    """
    yield from _shares(sample, width)
    yield from _contradictions(sample, width)
    yield from _agreement(sample, width)


def _shares(sample: Sample, width: int) -> Iterator[Finding]:
    """One class alone, or one that nearly all labels are."""
    shares = class_frequencies(sample.y, width)
    common, share = int(shares.argmax()), float(shares.max())
    if share > MAX_CLASS_SHARE:
        yield make_finding(
            "one_class", f"{share:.0%} of the labels are class {common}.", 0.95, numbers={"share": share}
        )
    elif share > IMBALANCED_SHARE and sample.y.ndim < 3:
        present = int((shares > 0).sum())
        yield make_finding(
            "imbalanced_classes",
            f"{share:.1%} of the labels are class {common}, the rarest class has "
            f"{shares[shares > 0].min():.1%}. A model "
            f"that always answers {common} has an accuracy of {share:.1%} and a balanced accuracy "
            f"of {1 / present:.0%}.",
            0.7,
            numbers={"largest": share, "smallest": float(shares[shares > 0].min())},
        )


def _contradictions(sample: Sample, width: int) -> Iterator[Finding]:
    """Equal images with different labels."""
    labels = classes_of_images(sample, width)
    if labels is None:
        return
    flat = np.ascontiguousarray(sample.x.reshape(len(sample), -1))
    group = np.unique([hash(row.tobytes()) for row in flat], return_inverse=True)[1]
    lowest, highest = np.full(group.max() + 1, labels.max()), np.full(group.max() + 1, labels.min())
    np.minimum.at(lowest, group, labels)
    np.maximum.at(highest, group, labels)
    share = float((lowest < highest)[group].mean())
    if share > MIN_CONTRADICTING_SHARE:
        message = f"{share:.0%} of the images occur more than once with different labels."
        confidence = 0.92 if share > GRAVE_CONTRADICTING_SHARE else 0.3
        yield make_finding("contradicting_labels", message, confidence, numbers={"share": share})


def _agreement(sample: Sample, width: int) -> Iterator[Finding]:
    """Similar images should share a class more often than by chance.

    Classes are compared in equal numbers: where most images are of one class, nearly all neighbors agree anyway, and
    the test could not tell related labels from others.
    """
    labels = classes_of_images(sample, width)
    if labels is None or sample.x.ndim != 4:
        return
    chosen = _balanced(labels)
    labels = labels[chosen]
    if len(labels) < MIN_IMAGES or len(np.unique(labels)) < 2:
        return
    agreeing, expected = neighbors_agree(sample.x[chosen], labels)
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


def _balanced(labels: np.ndarray) -> np.ndarray:
    """Indices of at most as many images of the most frequent class as of all others."""
    values, counts = np.unique(labels, return_counts=True)
    common = values[counts.argmax()]
    others = np.flatnonzero(labels != common)
    return np.sort(np.concatenate([others, np.flatnonzero(labels == common)[: max(1, len(others))]]))
