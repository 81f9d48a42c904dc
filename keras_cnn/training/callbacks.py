"""The callbacks of a run: TensorBoard, the best weights, a halt when the loss is no longer finite."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import keras

from keras_cnn.files import write_file

HISTOGRAMS = 5  # times in a run that weight histograms are logged


def tensorboard(logs: Path, epochs: int) -> keras.callbacks.Callback:
    """Scalars every epoch, the graph once, weight histograms about five times in `epochs`."""
    return keras.callbacks.TensorBoard(logs, histogram_freq=max(1, epochs // HISTOGRAMS), write_graph=True)


class BestWeights(keras.callbacks.Callback):
    """Keep the weights of the best epoch in `path` (.weights.h5), replaced atomically.

    The best has the highest validation accuracy; of equals, as small validation sets make them, the one with
    the lowest validation loss. `accuracy`, `loss` and `epoch` (from 1; 0 before the first) are those of the
    kept weights.
    """

    def __init__(self, path: Path):
        super().__init__()
        self.path = path
        self.accuracy, self.loss, self.epoch = -math.inf, math.inf, 0

    def on_epoch_end(self, epoch, logs=None):
        accuracy, loss = float(logs["val_accuracy"]), float(logs["val_loss"])
        if (accuracy, -loss) > (self.accuracy, -self.loss):
            self.accuracy, self.loss, self.epoch = accuracy, loss, epoch + 1
            write_file(self.path, self.model.save_weights)


class EpochReport(keras.callbacks.Callback):
    """Call `report(epoch, logs)` after each epoch, counted from 1; logs gain `seconds`, validation included."""

    def __init__(self, report: Callable[[int, dict], None]):
        super().__init__()
        self._report = report

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self._report(epoch + 1, {**logs, "seconds": time.perf_counter() - self._start})
