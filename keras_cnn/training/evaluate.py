"""Measure a model on a split: plain numbers from its predictions."""

import keras
import numpy as np

from keras_cnn.data.dataset import Split
from keras_cnn.data.pipeline import evaluation_batches
from keras_cnn.data.windows import Window
from keras_cnn.task import score_of

BATCH = 256
BINS = 15  # of the calibration error, as in its paper


def window_of(model: keras.Model) -> Window | None:
    """What a model of masks sees and answers; None for one of single labels."""
    if len(model.output_shape) != 4:
        return None
    return Window(tuple(model.input_shape[1:3]), tuple(model.output_shape[1:3]))


def predict(model: keras.Model, split: Split) -> np.ndarray:
    """The outputs (N, K), float32, for every image of `split` in order: probabilities, or values of regression."""
    return model.predict(evaluation_batches(split, BATCH), verbose=0)


def measure(probabilities: np.ndarray, labels: np.ndarray) -> dict:
    """accuracy, its 95 % interval (Wilson 1927), cross-entropy in nats, `calibration_error`, and the confusion matrix
    (rows: true class, columns: predicted class)."""
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    confusion = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    accuracy = float(np.mean(predicted == labels))
    of_truth = probabilities[np.arange(len(labels)), labels]
    return {
        "images": len(labels),
        "accuracy": accuracy,
        "accuracy_interval": wilson_interval(int(np.sum(predicted == labels)), len(labels)),
        "loss": float(-np.mean(np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)))),
        "calibration_error": calibration_error(probabilities.max(axis=1), predicted == labels),
        "confusion": confusion.tolist(),
    }


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """The expected calibration error (Guo et al. 2017, arXiv:1706.04599, section 2), in 15 bins of equal width.

    confidence: (N,), probability of the predicted class. right: (N,), whether that is the true one. At 0, of what the
    model is sure of by p a share of p is right.
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(
        bins, right - confidence, minlength=BINS
    )  # in each: count x (accuracy - mean confidence)
    return float(np.abs(gaps).sum() / len(confidence))


def summary(test: dict) -> str:
    """What was measured on the test split, in a line: by `measure`, `measure_masks`, `measure_labels` or
    `measure_values`."""
    score = score_of(test)
    low, high = test[f"{score}_interval"]
    interval = (
        f"95 % interval {low:.4g} to {high:.4g}"
        if score == "mae"
        else f"95 % interval {low:.4f} to {high:.4f}"
    )
    value = f"{test[score]:.4g}" if score == "mae" else f"{test[score]:.4f}"
    text = f"test {score.replace('_', ' ')} {value} ({interval}, {test['images']:,} images)"
    if score == "mean_iou":
        iou = ", ".join(f"{name} {value:.4f}" for name, value in test["iou"].items())
        text += f"; IoU of {iou}; pixel accuracy {test['accuracy']:.4f}"
    if score == "mae":
        text += f"; RMSE {test['rmse']:.4g}; R^2 {test['r2']:.4f}"
    if score == "mean_average_precision":
        text += f"; binary accuracy {test['binary_accuracy']:.4f}; all labels right {test['exact_match']:.1%}"
    return text


def wilson_interval(right: int, count: int) -> list[float]:
    """95 % interval of a proportion (Wilson 1927)."""
    from scipy.stats import binomtest  # a tenth of a second, which `--help` need not wait for

    interval = binomtest(right, count).proportion_ci(0.95, method="wilson")
    return [float(interval.low), float(interval.high)]
