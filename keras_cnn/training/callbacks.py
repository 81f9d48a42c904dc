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

    `score` and `epoch` (counted from 1) are those of the kept weights; the epoch is 0 before the first.
    """

    def __init__(self, path: Path, monitor: str, direction: str):
        super().__init__()
        self.path, self.monitor = path, monitor
        self._sign = 1 if direction == "max" else -1
        self.score, self.epoch = -self._sign * math.inf, 0

    def on_epoch_end(self, epoch, logs=None):
        score = float(logs[self.monitor])
        if self._sign * score > self._sign * self.score:
            self.score, self.epoch = score, epoch + 1
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
