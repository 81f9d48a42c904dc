"""Pictures of what a model of several labels or of values reaches on the test split."""

import math
from collections.abc import Sequence

import numpy as np

from keras_cnn.training.plots import plain

SHOWN = 20  # labels or values


def precision_recall_figure(names: Sequence[str], probabilities: np.ndarray, truth: np.ndarray):
    """Precision over recall of each label, of the first 20 that some image has. Both arrays are (N, K)."""
    from matplotlib.figure import Figure
    from sklearn.metrics import PrecisionRecallDisplay

    figure = Figure(figsize=(7, 6), layout="tight")
    axis = figure.subplots()
    for column in np.flatnonzero(truth.any(axis=0))[:SHOWN]:
        PrecisionRecallDisplay.from_predictions(
            truth[:, column], probabilities[:, column], ax=axis, name=plain(names[column])
        )
    axis.set(xlim=(0, 1), ylim=(0, 1.02))
    return figure


def values_figure(names: Sequence[str], predicted: np.ndarray, truth: np.ndarray):
    """Predicted over true values, of the first 20 values, with the line on which both are equal."""
    from matplotlib.figure import Figure

    count = min(len(names), SHOWN)
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(4 * columns, 4 * rows), layout="tight")
    for axis, name, guess, true in zip(
        figure.subplots(rows, columns, squeeze=False).flat, names, predicted.T, truth.T, strict=False
    ):
        ends = [min(true.min(), guess.min()), max(true.max(), guess.max())]
        axis.plot(ends, ends, color="lightgray")
        axis.plot(true, guess, ".", markersize=4)
        axis.set(xlabel="true", ylabel="predicted", title=plain(name))
    return figure
