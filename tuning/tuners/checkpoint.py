"""The state of a trial after each epoch, from which it continues after a kill; and its best weights.

Keras gives a callback all that is needed, so that it works in any `fit` that the callbacks are passed to.
"""

import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
from keras_tuner.src.engine import tuner_utils

from keras_cnn.files import write_file
from keras_cnn.training.archives import is_whole
from keras_cnn.training.checkpoint import read_progress, restore_state, save_state
from keras_cnn.training.recovery import quarantine
from tuning.tuners import callback_state

logger = logging.getLogger(__name__)

Report = Callable[[int, dict], bool | None]


class SaveBestEpoch(tuner_utils.SaveBestEpoch):
    """Stock KerasTuner's callback, with a file that a kill leaves whole."""

    def _save_model(self) -> None:
        write_file(Path(self.filepath), self.model.save_weights)


class TrialCheckpoint(keras.callbacks.Callback):
    """Saves the state of a trial after each epoch, and restores it when training begins.

    The state is that of the model, its optimizer, the random generators of its layers, and of the other callbacks what
    is numbers and arrays (of EarlyStopping: its best value and weights). A second `fit` that the same callbacks are
    given to, as in two phases of fine-tuning, has a state of its own.

    Args:
        directory: of the trial.
        execution: number of the repeated training, from 0.
        callbacks: the others, whose state is kept.
        parent: directory of the trial that Hyperband continues, if it does.
        report: called after each epoch with its number, from 1, and its metrics; training ends if it returns True.
        seed: of this execution.
    """

    def __init__(
        self,
        directory: Path,
        execution: int,
        callbacks: Sequence[keras.callbacks.Callback],
        parent: Path | None,
        report: Report,
        seed: int,
    ):
        super().__init__()
        self._directory, self._execution, self._callbacks = directory, execution, callbacks
        self._parent, self._report, self.seed = parent, report, seed
        self._phase, self._epoch = -1, 0
        self._path: Path | None = None
        self.begun = False  # whether any `fit` was given this callback
        self.diverged = 0  # epoch, from 1, whose loss is not finite
        self.history: dict[str, list[float]] = {}  # of the present phase, of earlier processes too

    def next_epoch(self) -> int:
        """The first epoch, from 0, that the first phase has not finished."""
        path = _state_path(self._directory, self._execution, 0)
        return read_progress(path)[0]["epoch"] if path.exists() else 0

    def on_train_begin(self, logs=None):
        self._phase, self.begun = self._phase + 1, True
        # a loop of the user's own says no number of epochs, and starts at its first whatever is restored
        known = (
            bool(self.params and "epochs" in self.params)
            and getattr(self.model, "optimizer", None) is not None
        )
        self._path = _state_path(self._directory, self._execution, self._phase) if known else None
        self.history = {}
        if self._path is None:
            return
        parent = self._parent and _state_path(self._parent, self._execution, self._phase)
        if self._path.exists():
            self._continue(*self._restore(self._path))
        elif parent and parent.exists() and is_whole(parent):
            self._restore(parent)

    def on_epoch_end(self, epoch, logs=None):
        logs = {name: float(value) for name, value in (logs or {}).items() if np.ndim(value) == 0}
        self.begun, self._epoch = True, epoch + 1
        if not math.isfinite(logs.get("loss", 0.0)):
            self.diverged, self.model.stop_training = epoch + 1, True
            return
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        stop = self._report(epoch + 1, logs)
        self.model.stop_training = bool(getattr(self.model, "stop_training", False) or stop)
        if self._path:  # a training loop of the user's that calls no on_train_begin cannot be continued
            self._save(self._path)

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None  # the next phase begins with its own
        if self._path and self.history and not self.diverged:  # EarlyStopping may have restored other weights
            self._save(self._path, finished=True)

    def _save(self, path: Path, *, finished: bool = False) -> None:
        numbers, arrays = callback_state.state_of(self._callbacks)
        progress = {
            "epoch": self._epoch,
            "finished": finished or self.model.stop_training,
            "history": self.history,
            "build": self.model.get_build_config(),
            "callbacks": numbers,
        }
        save_state(path, self.model, progress, arrays)

    def _restore(self, path: Path) -> tuple[dict, dict[str, np.ndarray]]:
        """Restore the model from `path`; returns what else it holds. DamagedFileError if it is of another model."""
        progress, arrays = read_progress(path)
        config = progress["build"]
        if config and not _has_variables(self.model):  # Keras builds it at its first batch
            self.model.build_from_config(config)
        if not self.model.optimizer.built or not self.model.optimizer.variables:
            self.model.optimizer.build(self.model.trainable_variables)
        restore_state(path, self.model)
        return progress, arrays

    def _continue(self, progress: dict, arrays: dict[str, np.ndarray]) -> None:
        self.history, self._epoch = progress["history"], progress["epoch"]
        # as keras.callbacks.BackupAndRestore does it
        last = self.params["epochs"]
        self.model._initial_epoch = max(last, self._epoch) if progress["finished"] else self._epoch
        callback_state.restore(self._callbacks, progress["callbacks"], arrays)


def _has_variables(model: keras.Model) -> bool:
    return model.built and all(layer.built for layer in model.layers)


def state_files(directory: Path) -> list[Path]:
    """The states of a trial, of each of its executions and phases."""
    return sorted(directory.glob("state-*.npz"))


def quarantine_damaged_states(directory: Path) -> None:
    """Move the states of a trial aside if any of them is damaged: they depend on each other."""
    if not all(is_whole(path) for path in state_files(directory)):
        quarantine_states(directory)


def quarantine_states(directory: Path) -> None:
    """Move the states of a trial aside, and say so."""
    for path in state_files(directory):
        logger.info(quarantine(directory, path, "the trial begins anew"))


def remove_states(directory: Path) -> None:
    """Delete the states of a trial: its result and its best weights need them no longer."""
    for path in state_files(directory):
        path.unlink()


def _state_path(directory: Path, execution: int, phase: int) -> Path:
    return directory / f"state-{execution}-{phase}.npz"
