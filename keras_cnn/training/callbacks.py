"""The callbacks of a run: TensorBoard, the record on disk, a report of each epoch."""

import csv
import io
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import keras

from keras_cnn.errors import InputError, unknown_name
from keras_cnn.files import write_text
from keras_cnn.records import read_record, write_record
from keras_cnn.training.checkpoint import save_state, save_weights
from keras_cnn.training.ema import averaged
from keras_cnn.training.epoch_costs import EpochCost, epoch_cost
from keras_cnn.training.run_directory import BEST_WEIGHTS, CHECKPOINT, SECONDS
from keras_cnn.training.tasks import sign_of

EPOCHS = "epochs.csv"
HISTOGRAMS = 5  # times in a run that weight histograms are logged


def tensorboard(logs: Path, epochs: int) -> keras.callbacks.Callback:
    """Scalars every epoch, the graph once, weight histograms about five times in `epochs`."""
    return keras.callbacks.TensorBoard(logs, histogram_freq=max(1, epochs // HISTOGRAMS), write_graph=True)


class Record(keras.callbacks.Callback):
    """Writes `best.npz`, `epochs.csv` and `checkpoint.npz` to `directory` after each epoch.

    The best epoch has the highest value of the metric `objective`, or the lowest where that is better; of equals, as
    small validation sets make them, the lowest validation loss. The objective is the first of `objectives` that the
    model has. `score`, `loss` and `epoch` (from 1; 0 before the first) are those of the best weights, `history` maps
    each metric to its value per epoch, `seconds` is the time of all epochs, those of earlier sessions too, `costs` what
    each took. Nothing is kept of an epoch that diverged. `by_position` is an argument of `save_weights`.
    Not `validated`, the last epoch counts as the best, and its training loss as score and loss.
    """

    def __init__(
        self,
        directory: Path,
        objectives: Sequence[str],
        by_position: bool = False,
        *,
        validated: bool = True,
    ):
        super().__init__()
        self._by_position, self._validated = by_position, validated
        self.directory, self._objectives = directory, tuple(objectives) if validated else ("loss",)
        self.score, self.loss, self.epoch = -math.inf, math.inf, 0
        self.history: dict[str, list[float]] = {}
        self.seconds = 0.0
        self.costs: list[EpochCost] = []

    @property
    def objective(self) -> str:
        """The metric that chooses the best epoch; empty before the first."""
        return next((name for name in self._objectives if name in self.history), "")

    def resume(self, progress: dict) -> None:
        """Go on with the record that a checkpoint of the same run holds."""
        self.history = progress["history"]
        self.score, self.loss, self.epoch = progress["best"]

    def on_train_begin(self, logs=None):
        self._began = time.perf_counter() - self.seconds

    def out_of_patience(self, done: int, patience: int | None) -> bool:
        """Whether, after `done` epochs, `patience` have passed since the best; never without a best or patience."""
        return patience is not None and self.epoch > 0 and done - self.epoch >= patience

    def on_epoch_end(self, epoch, logs=None):
        if not math.isfinite(logs["loss"]):
            return
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        if not self.objective:
            known = [name for name in logs if name.startswith("val_")]
            raise unknown_name("objective", self._objectives[0], known)
        score, loss = float(logs[self.objective]), float(logs["val_loss" if self._validated else "loss"])
        sign = sign_of(self.objective)
        better = self.epoch == 0 or (sign * score, -loss) > (sign * self.score, -self.loss)
        if better or not self._validated:
            self.score, self.loss, self.epoch = score, loss, epoch + 1
            with averaged(self.model):
                save_weights(self.directory / BEST_WEIGHTS, self.model, self._by_position)
        write_text(self.directory / EPOCHS, self._table(epoch + 1))
        best = [self.score, self.loss, self.epoch]
        progress = {"epoch": epoch + 1, "history": self.history, "best": best}
        save_state(self.directory / CHECKPOINT, self.model, progress)
        # beside the checkpoint, which is the same bit for bit however often a run was interrupted
        before, self.seconds = self.seconds, time.perf_counter() - self._began
        self.costs.append(epoch_cost(self.model, epoch + 1, self.seconds - before))
        write_record(self.directory / SECONDS, {"seconds": self.seconds, "epochs": self.costs})

    def _table(self, last: int) -> str:
        """History as CSV; the last row is epoch `last`."""
        rows = list(zip(*self.history.values(), strict=True))
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["epoch", *self.history])
        writer.writerows([last - len(rows) + index, *row] for index, row in enumerate(rows, start=1))
        return text.getvalue()


class StartupTime(keras.callbacks.Callback):
    """`seconds` until the first step of training and the first of validation were done, which hold their tracing.

    To stand before callbacks that compute something when a validation begins.
    """

    async_safe = True  # it only reads the clock, and must not make Keras wait for each step

    def __init__(self):
        super().__init__()
        self.seconds = 0.0
        self._waits_for = {"train", "test"}

    def on_train_begin(self, logs=None):
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._first("train")

    def on_test_begin(self, logs=None):
        self._began = time.perf_counter()

    def on_test_batch_end(self, batch, logs=None):
        self._first("test")

    def _first(self, phase: str) -> None:
        if phase in self._waits_for:
            self._waits_for.remove(phase)
            self.seconds += time.perf_counter() - self._began


def seconds_before(directory: Path) -> float:
    """How long the run in `directory` has trained, all sessions together; 0 if it is not known."""
    try:
        seconds = read_record(directory / SECONDS).get("seconds")
    except InputError:  # missing in older runs, or damaged; nothing but this number is lost
        return 0.0
    return seconds if isinstance(seconds, float) else 0.0


class EarlyStop(keras.callbacks.Callback):
    """End the run when `record` is out of `patience`."""

    def __init__(self, record: Record, patience: int | None):
        super().__init__()
        self._record, self._patience = record, patience

    def on_epoch_end(self, epoch, logs=None):
        if self._record.out_of_patience(epoch + 1, self._patience):
            self.model.stop_training = True


class EpochReport(keras.callbacks.Callback):
    """Call `report(epoch, logs)` after each epoch, counted from 1; logs gain `seconds`, validation included.

    The run ends when it returns True.
    """

    def __init__(self, report: Callable[[int, dict], bool | None]):
        super().__init__()
        self._report = report

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        if self._report(epoch + 1, {**logs, "seconds": time.perf_counter() - self._start}):
            self.model.stop_training = True
