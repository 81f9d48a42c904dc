"""Intersection over union and Dice of every class, from one matrix of counted pixels."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops


def scores(confusion: np.ndarray, classes: Sequence[str]) -> dict:
    """mean_iou, and by class name iou and dice, of pixels counted in (K, K): rows true, columns predicted.

    iou = TP / (TP + FP + FN), dice = 2 TP / (2 TP + FP + FN). A class that neither the masks nor the predictions hold
    is perfect, 1, and left out of the mean, as in `keras.metrics.MeanIoU`.
    """
    hits, truth, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    either = truth + predicted - hits
    iou = np.where(either > 0, hits / np.maximum(either, 1), 1.0)
    dice = np.where(either > 0, 2 * hits / np.maximum(truth + predicted, 1), 1.0)
    return {
        "mean_iou": float(iou[either > 0].mean()) if either.any() else 1.0,
        "iou": dict(zip(classes, iou.tolist(), strict=True)),
        "dice": dict(zip(classes, dice.tolist(), strict=True)),
    }


def count(y_true, y_pred, classes: int):
    """Pixels by true and predicted class, (K, K) int32. y_true: (...) classes or (..., K) shares. y_pred: (..., K)."""
    if len(y_true.shape) == len(y_pred.shape):
        y_true = ops.argmax(y_true, axis=-1)
    cells = ops.cast(y_true, "int32") * classes + ops.cast(ops.argmax(y_pred, axis=-1), "int32")
    cells = ops.reshape(cells, (-1,))
    counted = ops.segment_sum(ops.ones_like(cells), cells, num_segments=classes**2)
    return ops.reshape(counted, (classes, classes))


class SegmentationScores(keras.metrics.Metric):
    """`mean_iou`, `iou_CLASS` and `dice_CLASS` over all pixels since the last reset, as `scores` defines them.

    Stock metrics keep a matrix for each class and count in float32, where sums stop growing at 16 million pixels.
    """

    def __init__(self, classes: Sequence[str], name: str = "segmentation", **arguments):
        super().__init__(name=name, **arguments)
        self._classes = tuple(classes)
        size = len(self._classes)
        self.confusion = self.add_variable((size, size), "zeros", dtype="float64", name="confusion")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.confusion.assign_add(ops.cast(count(y_true, y_pred, len(self._classes)), "float64"))

    def result(self):
        hits = ops.diagonal(self.confusion)
        truth, predicted = ops.sum(self.confusion, axis=1), ops.sum(self.confusion, axis=0)
        either = truth + predicted - hits
        present = ops.cast(either > 0, either.dtype)
        iou = 1 - present + ops.divide_no_nan(hits, either)
        dice = 1 - present + ops.divide_no_nan(2 * hits, truth + predicted)
        found = {"mean_iou": ops.sum(iou * present) / ops.maximum(ops.sum(present), 1)}
        for index, name in enumerate(self._classes):
            found |= {f"iou_{name}": iou[index], f"dice_{name}": dice[index]}
        return found

    def get_config(self):
        return {**super().get_config(), "classes": self._classes}
