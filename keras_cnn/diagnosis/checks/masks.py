"""Whether masks hold classes, and belong to their images."""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.stats import binomtest

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.score import explained_entropy
from keras_cnn.diagnosis.suggestions import Suggestion

# set by hand
MIN_PAIRS = 20  # with fewer images their relation to the masks is not tested
MAX_PAIRS = 128
MAX_P_VALUE = 1e-3  # of the sign test, for masks that belong to their images
MIN_BETWEEN_SHARE = 1e-3  # of mask values between the two most frequent ones
COMPARED_SIDE = 128  # pixels; of larger images every second, third, ... is compared
SMOOTHING = (1, 3, 7)  # pixels over which the intensities that are compared with a mask are averaged


def masks_of(sample: Sample) -> np.ndarray | None:
    """Masks (N, H, W) of class indices or probabilities; None if the labels are not masks of one channel."""
    x, y = sample.x, sample.y
    if x.ndim == y.ndim == 4 and y.shape[-1] == 1:
        y = y[..., 0]
    return y if x.ndim == 4 and y.ndim == 3 and y.shape == x.shape[:3] else None


def mask_findings(sample: Sample, width: int) -> Iterator[Finding]:
    """Findings on masks: values between two classes, masks that do not fit their images.

    Args:
        sample: images and labels; none is found in labels that are not masks.
        width: number of outputs of the model for each pixel.
    """
    masks = masks_of(sample)
    if masks is None:
        return
    yield from _interpolated(masks, width)
    yield from _unrelated(sample.x, masks)


def _interpolated(masks: np.ndarray, width: int) -> Iterator[Finding]:
    values, counts = np.unique(masks, return_counts=True)
    expected = max(2, width)
    low, high = sorted(values[np.argsort(-counts)[:2]]) if len(values) > 1 else (0, 0)
    between = counts[(values > low) & (values < high)].sum() / counts.sum()
    if len(values) <= expected or between < MIN_BETWEEN_SHARE:
        return
    outside = values.max() > expected - 1
    yield make_finding(
        "interpolated_masks",
        f"Masks hold {len(values)} values, of which {between:.1%} of the pixels lie between {low:g} and {high:g}, for "
        f"{expected} classes.",
        0.98 if outside else 0.3,
        numbers={"values": float(len(values)), "between": float(between)},
    )


def _unrelated(x: np.ndarray, masks: np.ndarray) -> Iterator[Finding]:
    if len(x) < MIN_PAIRS or np.ptp(masks) == 0:
        return
    wins, count = own_mask_wins(x[:MAX_PAIRS], masks[:MAX_PAIRS])
    if count >= MIN_PAIRS and binomtest(wins, count, 0.5, alternative="greater").pvalue > MAX_P_VALUE:
        yield make_finding(
            "masks_of_other_images",
            f"Edges and intensities of {wins} of {count} images fit their own mask better than "
            "that of another image; by "
            f"chance {count / 2:.0f} would.",
            0.9,
            numbers={"wins": float(wins), "images": float(count), "place_score": _place_score(masks)},
        )


def _place_score(masks: np.ndarray) -> float:
    """The score of the mean mask of half of the images, on the other half: that of the position alone."""
    half = len(masks) // 2
    values, classes = np.unique(masks, return_inverse=True)
    one_hot = np.eye(len(values))[classes.reshape(masks.shape)]
    logits = np.log(one_hot[:half].mean(axis=0) + 1e-3)
    truth = classes.reshape(masks.shape)[half:]
    return explained_entropy(truth, np.broadcast_to(logits, (*truth.shape, len(values))))


def own_mask_wins(x: np.ndarray, masks: np.ndarray) -> tuple[int, int]:
    """How many images fit their own mask better than the next one's.

    The fit is the share of the variance of smoothed intensities between the classes of the mask (the correlation ratio,
    eta squared), the best of several scales.

    Args:
        x: images (N, H, W, C).
        masks: (N, H, W).

    Returns:
        (number of images that fit their own mask better, number of images compared).
    """
    every = max(1, max(masks.shape[1:]) // COMPARED_SIDE)
    gray = x[:, ::every, ::every].astype("float64").mean(axis=-1)
    pictures = [uniform_filter(gray, (0, size, size)) for size in SMOOTHING]
    pictures.append(np.abs(gray - uniform_filter(gray, (0, 7, 7))))  # texture
    stacked = np.stack(pictures, axis=1).reshape(len(x), len(pictures), -1)
    classes = np.round(masks[:, ::every, ::every]).astype(np.int64).reshape(len(x), -1)
    own, other = (
        np.array([_fit(*pair) for pair in zip(stacked, given, strict=True)])
        for given in (classes, np.roll(classes, 1, axis=0))
    )
    return int((own > other).sum()), int((own != other).sum())


def _fit(pictures: np.ndarray, classes: np.ndarray) -> float:
    """The largest eta squared of several pictures (P, pixels) over the classes (pixels,) of a mask."""
    groups = np.unique(classes, return_inverse=True)[1]
    counts = np.bincount(groups)
    ratios = []
    for values in pictures:
        between = (counts * (np.bincount(groups, values) / counts - values.mean()) ** 2).sum()
        ratios.append(between / max(1e-12, len(values) * values.var()))
    return max(ratios)


def value_suggestions(y: np.ndarray, outputs: int) -> list[Suggestion]:
    """How to bring labels that are out of range into it, the likeliest mistake first."""
    values = np.unique(y)
    number = Suggestion("number the classes from 0", "a finite loss for every image")
    more = Suggestion(
        f"give the model {int(y.max()) + 1} outputs", "the same, if all these classes are meant"
    )
    if set(values) <= {0, 255}:
        return [Suggestion("divide the masks by 255", "classes 0 and 1, and a finite loss for every pixel")]
    if values.min() == 1 and values.max() == max(2, outputs):
        return [
            Suggestion("subtract 1 from the labels", "classes from 0, and a finite loss for every image"),
            more,
        ]
    return [number, more]
