"""A search of a user's tuner with its trials in worker processes."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import keras_tuner as kt
import tensorflow as tf
from keras_tuner.engine.hyperparameters import HyperParameters
from keras_tuner.engine.trial import Trial
from keras_tuner.src.distribute import utils as distribute_utils

from keras_cnn.records import is_damaged, read_record
from tuning.config import COMPLETED, FAILED, RUNNING
from tuning.executors.base import ENDED, Event
from tuning.executors.local import LocalExecutor
from tuning.executors.resources import WorkerResources, assign_resources
from tuning.oracles.base import IDLE
from tuning.tuners.program import ADVICE, NotPortable, Program
from tuning.tuners.trial import FATAL, RESULT, portable_content

logger = logging.getLogger(__name__)

ATTEMPTS = 3  # of a trial whose worker dies before another epoch has ended
TURN_SECONDS = 1.0
OWN_PACKAGES = ("keras_tuner", "tuning")
# methods that a trial calls, which a subclass may write with this process's objects in mind
OF_TRIALS = (
    *("run_trial", "load_model", "save_model", "_build_and_fit_model", "_build_hypermodel"),
    *("on_batch_begin", "on_batch_end", "on_epoch_begin", "on_epoch_end"),
)


def search_in_workers(tuner, args: tuple, kwargs: dict) -> bool:
    """Search with `tuner` in worker processes.

    Returns:
        Whether it did so; if not, the trials have to run in this process, for a reason that it has logged.
    """
    if tuner.executor == "inline" or distribute_utils.has_chief_oracle():
        return False
    try:
        _check_portable(tuner, [*args, *kwargs.values()])
        program = Program(portable_content(tuner, args, kwargs))
    except NotPortable as error:
        logger.info(f"trials run in this process, one after the other: {error}.")
        return False
    with program, LocalExecutor(_resources(tuner), {"program": str(program.path)}) as executor:
        _Search(tuner, executor, kwargs.get("verbose", "auto")).run()
    return True


def _check_portable(tuner, arguments: list) -> None:
    """Raise NotPortable if the trials of `tuner` can only run in this process."""
    for name in OF_TRIALS:
        if getattr(type(tuner), name).__module__.partition(".")[0] not in OWN_PACKAGES:
            raise NotPortable(f"{type(tuner).__name__} has a method {name} of its own")
    if any(isinstance(value, tf.data.Dataset) for value in arguments):
        raise NotPortable(f"a tf.data.Dataset cannot leave it. {ADVICE}")
    strategy = tuner.distribution_strategy
    if strategy is not None and not isinstance(strategy, tf.distribute.MirroredStrategy):
        raise NotPortable(f"its distribution_strategy is a {type(strategy).__name__}")


def _resources(tuner) -> list[WorkerResources]:
    strategy = tuner.distribution_strategy
    devices = strategy.num_replicas_in_sync if strategy is not None else None
    gpus = len(tf.config.list_physical_devices("GPU"))
    if gpus:
        return assign_resources(tuner.workers, gpus, devices or 1, None)
    places = assign_resources(tuner.workers, 0, devices, None if tuner.workers else 1)
    threads = max(1, (os.cpu_count() or 1) // len(places))
    return [WorkerResources((), devices, threads)] * len(places)


@dataclass
class _Attempt:
    trial: Trial
    number: int = 1


class _Search:
    """The loop of `keras_tuner.Tuner.search`, over several trials at a time."""

    def __init__(self, tuner, executor: LocalExecutor, verbose: str | int):
        self.tuner, self.executor, self.oracle = tuner, executor, tuner.oracle
        self.oracle.verbose = verbose
        self.slots = [f"{tuner.tuner_id}-{number}" for number in range(executor.slots)]
        self.running: dict[str, _Attempt] = {}  # by the names of trials

    def run(self) -> None:
        count = len(self.slots)
        where = Path(self.tuner.project_dir) / "trial_*/log.txt"
        logger.info(
            f"trials run in {count} worker process{'es' if count > 1 else ''}; what they print is in {where}"
        )
        self.tuner.on_search_begin()
        while self._fill() or self.running:
            for event in self.executor.wait(TURN_SECONDS):
                self._take(event)
        self.tuner.on_search_end()

    def _fill(self) -> bool:
        """Begin trials while there is a place for them; returns whether there may be more."""
        for slot in self.slots:
            if len(self.running) == len(self.slots):
                return True
            busy = self.oracle.ongoing_trials.get(slot)
            if busy and busy.trial_id in self.running:
                continue
            self.tuner.pre_create_trial()
            trial = self.oracle.create_trial(slot)
            if trial.status == IDLE:
                return bool(self.running)
            if trial.status != RUNNING:
                return False
            self._begin(trial)
        return True

    def _begin(self, trial: Trial) -> None:
        self.tuner.on_trial_begin(trial)
        self.running[trial.trial_id] = _Attempt(trial)
        path = self._result(trial.trial_id)
        if path.exists() and not is_damaged(path, read_record):  # this process was killed before it took it
            self._end(trial)
        else:
            self._start(trial.trial_id)

    def _start(self, trial_id: str) -> None:
        directory = Path(self.tuner.get_trial_dir(trial_id))
        self.executor.start(trial_id, directory, self.tuner.trial_timeout or float("inf"))

    def _take(self, event: Event) -> None:
        attempt = self.running[event.trial_id]
        if event.kind != ENDED:
            attempt.number = 1
            self._show(event)
        elif not event.content:
            self._end(attempt.trial)
        elif event.content["state"] == FAILED and attempt.number < ATTEMPTS:
            attempt.number += 1
            cause = event.content["message"].splitlines()[0]
            logger.info(f"trial {event.trial_id}: {cause}; it continues in another worker")
            self._start(event.trial_id)
        else:
            attempt.trial.status = FAILED
            attempt.trial.message = f"{event.content['state']}: {event.content['message']}"
            self._record(attempt.trial)

    def _show(self, event: Event) -> None:
        if self.oracle.verbose < 1:
            return
        values = [
            f"{name} {event.content[name]:.4f}"
            for name in ("loss", "val_loss", self.oracle.objective.name)
            if name in event.content
        ]
        print(f"trial {event.trial_id} epoch {event.content['epoch']}: {', '.join(dict.fromkeys(values))}")

    def _end(self, trial: Trial) -> None:
        """Record what the worker has written of a trial."""
        result = read_record(self._result(trial.trial_id))
        if result["state"] == FATAL:
            if result["error"] == "SystemExit":
                raise SystemExit(result["message"])
            raise getattr(kt.errors, result["error"], RuntimeError)(result["message"])
        trial.hyperparameters = HyperParameters.from_config(result["hyperparameters"])
        if result["state"] == COMPLETED:
            self.oracle.update_trial(trial.trial_id, result["metrics"], step=result["step"])
        trial.status, trial.message = result["state"], result.get("message")
        self._record(trial)

    def _record(self, trial: Trial) -> None:
        del self.running[trial.trial_id]
        if trial.status != COMPLETED:
            log = Path(self.tuner.get_trial_dir(trial.trial_id)) / "log.txt"
            cause = (trial.message or "").strip().splitlines()[-1:]
            logger.info(f"trial {trial.trial_id} failed: {' '.join(cause)} (its log: {log})")
        self.tuner.on_trial_end(trial)
        self._result(trial.trial_id).unlink(missing_ok=True)

    def _result(self, trial_id: str) -> Path:
        return Path(self.tuner.get_trial_dir(trial_id)) / RESULT
