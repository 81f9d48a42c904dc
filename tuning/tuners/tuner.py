"""KerasTuner's tuners with trials in worker processes, several at once, that survive kills.

The classes have the constructors and methods of their namesakes in KerasTuner 1.4, so that the import is all that
changes in a script. What differs on purpose is listed in docs/keras-tuner.md.
"""

import copy
import logging
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import keras_tuner as kt
import numpy as np
from keras_tuner.engine.trial import Trial
from keras_tuner.src.engine import tuner_utils

from keras_cnn.errors import DamagedFileError, InputError, in_one_line, unknown_name
from keras_cnn.files import sweep, write_json
from keras_cnn.records import is_damaged, read_json, read_record, write_record
from tuning.config import DIVERGED
from tuning.executors.repeats import to_seed
from tuning.tuners.arrays import shuffled_by_epoch
from tuning.tuners.checkpoint import (
    SaveBestEpoch,
    TrialCheckpoint,
    quarantine_damaged_states,
    quarantine_states,
    remove_states,
)
from tuning.tuners.oracle import ORACLE
from tuning.tuners.program import called
from tuning.tuners.samplers import to_project_oracle
from tuning.tuners.workers import search_in_workers

logger = logging.getLogger(__name__)

EXECUTORS = ("local", "inline")


class Tuner(kt.Tuner):
    """`keras_tuner.Tuner`, with trials in worker processes.

    Args:
        oracle: of KerasTuner, or a subclass of its `Oracle`.
        hypermodel: function `build(hp)`, or `keras_tuner.HyperModel`.
        executor: where trials run: `local`, in worker processes of this machine; or `inline`, in this process, one
            after the other.
        workers: number of trials at once; None for one for each GPU, or without a GPU for each processor.
        trial_timeout: a trial that takes longer, in seconds, is ended as FAILED; None for no limit.
        **kwargs: of `keras_tuner.Tuner`.
    """

    def __init__(
        self,
        oracle: kt.Oracle,
        hypermodel: Any = None,
        *,
        executor: str = "local",
        workers: int | None = None,
        trial_timeout: float | None = None,
        **kwargs,
    ):
        if executor not in EXECUTORS:
            raise unknown_name("executor", executor, EXECUTORS)
        if hypermodel is None and type(self).run_trial in (Tuner.run_trial, Hyperband.run_trial):
            raise ValueError(
                "Received `hypermodel=None`: give a function build(hp), a HyperModel, or a run_trial."
            )
        if workers is not None and workers < 1:
            raise ValueError(f"workers={workers} must be at least 1.")
        self.executor, self.workers, self.trial_timeout = executor, workers, trial_timeout
        self.report = lambda epoch, logs: None  # a worker's goes to the coordinator
        self._dtype_policy = keras.config.dtype_policy()
        if not kwargs.get("overwrite"):
            _accept_unended_project(Path(kwargs.get("directory") or "."), kwargs)
        super().__init__(to_project_oracle(oracle), hypermodel, **kwargs)

    def search(self, *fit_args, **fit_kwargs) -> None:
        """Search, with the arguments that `HyperModel.fit` takes, which are those of `keras.Model.fit`.

        Data may be arrays, a `keras.utils.PyDataset`, or a function without arguments that returns what the search
        takes, which each worker calls; what cannot cross a process, such as a `tf.data.Dataset`, makes the trials run
        in this process, and a line says so.
        """
        self.save()  # before the first trial: a search that is killed in it continues
        if not search_in_workers(self, fit_args, fit_kwargs):
            args, kwargs = called(fit_args, fit_kwargs)
            super().search(*args, **kwargs)
        for trial_id in self.oracle.trials:  # Hyperband has none left to continue
            remove_states(Path(self.get_trial_dir(trial_id)))

    def run_trial(self, trial: Trial, *args, **kwargs) -> list:
        """Train the model of a trial `executions_per_trial` times; an interrupted trial continues.

        Returns:
            What `HyperModel.fit` returned, of each execution.
        """
        directory = Path(self.get_trial_dir(trial.trial_id))
        sweep(directory)
        quarantine_damaged_states(directory)
        best = SaveBestEpoch(self.oracle.objective, self._get_checkpoint_fname(trial.trial_id))
        original = kwargs.pop("callbacks", [])
        results = []
        for execution in range(self.executions_per_trial):
            try:
                results.append(self._execute(trial, execution, best, original, args, kwargs))
            except DamagedFileError as error:  # it is that of another model: the script was changed
                logger.info(f"note: {error.path} does not fit the model")
                quarantine_states(directory)
                results.append(self._execute(trial, execution, best, original, args, kwargs))
        if "tuner/bracket" not in trial.hyperparameters.values:  # Hyperband may continue it
            remove_states(directory)
        return results

    def _execute(
        self,
        trial: Trial,
        execution: int,
        best: SaveBestEpoch,
        original: Sequence[keras.callbacks.Callback],
        args: tuple,
        kwargs: dict,
    ) -> Any:
        callbacks = self._deepcopy_callbacks(original)
        self._configure_tensorboard_dir(callbacks, trial, execution)
        callbacks = [*callbacks, tuner_utils.TunerCallback(self, trial), best]
        directory = Path(self.get_trial_dir(trial.trial_id))
        parent = trial.hyperparameters.values.get("tuner/trial_id")
        checkpoint = TrialCheckpoint(
            directory,
            execution,
            callbacks,
            Path(self.get_trial_dir(parent)) if parent else None,
            lambda epoch, logs: self.report(epoch, logs),
            to_seed(self.oracle.seed, trial.trial_id, execution),
        )
        # not TensorFlow's own generator: with a seed, Keras shuffles arrays in the same order in every epoch
        random.seed(checkpoint.seed)
        np.random.seed(checkpoint.seed)
        kwargs = {**copy.copy(kwargs), "callbacks": [*callbacks, checkpoint]}
        result = self._build_and_fit_model(trial, *args, **kwargs)
        if checkpoint.diverged:
            raise kt.errors.FailedTrialError(
                f"{DIVERGED}: the loss was not finite in epoch {checkpoint.diverged}"
            )
        if not checkpoint.begun:
            logger.info(
                "note: HyperModel.fit does not pass `callbacks` on to model.fit, so that the weights of trials are "
                "not saved, and a trial that is interrupted begins anew"
            )
        elif isinstance(result, keras.callbacks.History) and checkpoint.history:
            result.history = checkpoint.history  # of the epochs before an interruption too
        return result

    def _try_build(self, hp: kt.HyperParameters) -> keras.Model:
        self._dtype_policy = keras.config.dtype_policy()  # which KerasTuner resets with Keras's session
        return super()._try_build(hp)

    def _build_hypermodel(self, hp: kt.HyperParameters) -> keras.Model:
        keras.config.set_dtype_policy(self._dtype_policy)
        return super()._build_hypermodel(hp)

    def _build_and_fit_model(self, trial: Trial, *args, **kwargs) -> Any:
        """As `keras_tuner.Tuner`'s, but arrays that only `model.fit` receives are shuffled by seed and epoch."""
        model, checkpoint = self._try_build(trial.hyperparameters), kwargs["callbacks"][-1]
        stock = type(self.hypermodel).fit is kt.HyperModel.fit and type(model).fit is keras.Model.fit
        if stock and isinstance(checkpoint, TrialCheckpoint):
            args, kwargs = shuffled_by_epoch(args, kwargs, checkpoint.seed, checkpoint.next_epoch())
        results = self.hypermodel.fit(trial.hyperparameters, model, *args, **kwargs)
        write_json(Path(self._get_build_config_fname(trial.trial_id)), model.get_build_config())
        tuner_utils.validate_trial_results(results, self.oracle.objective, "HyperModel.fit()")
        return results

    def load_model(self, trial: Trial) -> keras.Model:
        """The model of a trial with the weights of its best epoch.

        Raises:
            InputError: if the file of its weights is damaged.
        """
        path = Path(self._get_checkpoint_fname(trial.trial_id))
        try:
            return super().load_model(trial)
        except OSError as error:
            if not path.exists():
                raise
            raise InputError(
                f"{path} is damaged ({in_one_line(error)}): train the trial's hyperparameters again, "
                "tuner.hypermodel.build(tuner.get_best_hyperparameters()[0])."
            ) from error

    def save(self) -> None:
        """Write the state of the search to the project directory."""
        if not self._is_worker():
            self.oracle.save()
        write_record(Path(self._get_tuner_fname()), {"state": self.get_state()})

    def reload(self) -> None:
        """Read the state of the search from the project directory."""
        if not self._is_worker():
            self.oracle.reload()
        path = Path(self._get_tuner_fname())
        if not is_damaged(path, read_record):
            record = read_json(path)
            self.set_state(record.get("state", record))


class RandomSearch(kt.RandomSearch, Tuner):
    """`keras_tuner.RandomSearch` in worker processes; arguments as there, and those of `Tuner`."""


class BayesianOptimization(kt.BayesianOptimization, Tuner):
    """`keras_tuner.BayesianOptimization` in worker processes; arguments as there, and those of `Tuner`."""


class GridSearch(kt.GridSearch, Tuner):
    """`keras_tuner.GridSearch` in worker processes; arguments as there, and those of `Tuner`."""


class Hyperband(kt.Hyperband, Tuner):
    """`keras_tuner.Hyperband` in worker processes; arguments as there, and those of `Tuner`.

    Args:
        min_epochs: no trial is judged before so many epochs; a project that continues keeps its own.
    """

    def __init__(self, *args, min_epochs: int = 1, **kwargs):
        super().__init__(*args, **kwargs)
        if not 1 <= min_epochs <= self.oracle.max_epochs:
            raise ValueError(
                f"min_epochs={min_epochs} must be from 1 to max_epochs={self.oracle.max_epochs}."
            )
        if not self.oracle.trials:
            self.oracle.begin_with(min_epochs)


def _accept_unended_project(directory: Path, kwargs: dict) -> None:
    """Let KerasTuner see a project whose first trial has not ended: it looks for tuner0.json, which it lacks."""
    project = directory / (kwargs.get("project_name") or "untitled_project")
    path = project / f"{kwargs.get('tuner_id') or 'tuner0'}.json"
    if (project / ORACLE).exists() and not path.exists():
        write_record(path, {"state": {}})
