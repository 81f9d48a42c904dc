"""Measure a model of masks on a split: plain numbers from its predictions of whole images."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from keras_cnn.data.dataset import Split
from keras_cnn.data.progress import track
from keras_cnn.data.windows import predict_image
from keras_cnn.training.evaluate import window_of
from keras_cnn.training.metrics import scores

BATCH = 4
RESAMPLED = 1000


def predict_mask(model: keras.Model, image: np.ndarray) -> np.ndarray:
    """Probabilities (H, W, classes), float32, of an image (H, W, C) of any size, by overlapping windows."""
    window = window_of(model)
    assert window, "a model of masks"
    return predict_image(lambda views: model.predict(views, batch_size=BATCH, verbose=0), image, window)


def measure_masks(
    answer: Callable[[np.ndarray], np.ndarray], split: Split, classes: Sequence[str]
) -> tuple[dict, list[float]]:
    """answer: an image (H, W, C) -> probabilities (H, W, classes), as `predict_mask` of a model.

    Of all pixels: accuracy, cross-entropy in nats, the confusion matrix (rows: true class, columns: predicted), and
    what `scores` makes of it; mean_iou_interval, 95 %, from images drawn anew (Efron 1979), for the pixels of one image
    are not independent. Beside it the mean IoU of each image.
    """
    counted, losses = [], []
    for image, mask in track(zip(split.images, split.labels, strict=True), "measuring", len(split)):
        probabilities = answer(image)
        counted.append(_confusion(mask, probabilities.argmax(axis=-1), len(classes)))
        of_truth = np.take_along_axis(probabilities, mask[..., None].astype(int), axis=-1)
        losses.append(-np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean())
    confusion = np.sum(counted, axis=0)
    measured = {
        "images": len(split),
        "accuracy": float(confusion.trace() / confusion.sum()),
        **scores(confusion, classes),
        "mean_iou_interval": _interval(np.array(counted), classes),
        "loss": float(np.mean(losses)),
        "confusion": confusion.tolist(),
    }
    return measured, [scores(matrix, classes)["mean_iou"] for matrix in counted]


def _confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    cells = truth.astype(np.int64) * classes + predicted
    return np.bincount(cells.ravel(), minlength=classes**2).reshape(classes, classes)


def _interval(counted: np.ndarray, classes: Sequence[str]) -> list[float]:
    """From matrices (images, K, K)."""
    draws = np.random.default_rng(0).integers(0, len(counted), (RESAMPLED, len(counted)))
    found = [scores(counted[rows].sum(axis=0), classes)["mean_iou"] for rows in draws]
    return [float(bound) for bound in np.quantile(found, (0.025, 0.975))]
