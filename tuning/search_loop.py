"""The search loop: take trials from the oracle, run them on the executor, report results to the oracle."""

import time
from dataclasses import dataclass, field

from keras_tuner.engine.hyperparameters import HyperParameters
from keras_tuner.engine.trial import Trial

from keras_cnn.errors import InputError
from keras_cnn.quantities import to_seconds
from keras_cnn.records import write_record
from keras_cnn.training.run_directory import METRICS, read_metrics
from tuning import stopping
from tuning.config import COMPLETED, FAILED, RUNNING, StudyConfig
from tuning.deadline import Deadline
from tuning.executors.base import ENDED, Event, Executor
from tuning.oracles.base import IDLE, declare_space
from tuning.oracles.make import make_oracle
from tuning.oracles.plan import planned_epochs
from tuning.pruning import Pruner, histories
from tuning.reporting import tensorboard
from tuning.reporting.progress import Progress
from tuning.space.trial_spec import settings_at, trial_spec
from tuning.storage.retention import CheckpointRetention

FAILURES_IN_A_ROW = 3
FIRST_FAILURES = 2  # of the same exception, before anything has completed, are a mistake in the code
ATTEMPTS = 3  # of a trial whose worker dies before another epoch has ended
TURN_SECONDS = 1.0


class SearchFailed(InputError):
    """So many trials failed in a row that the cause is not in the hyperparameters."""


def start_study(study: StudyConfig, executor: Executor) -> None:
    """Write a new study into its directory, which the caller holds.

    Raises:
        InputError: if trials of one of its architectures could not start; then nothing is written.
    """
    space = declare_space(study)
    for architecture in study.architectures if study.space is None else ():  # a worker has tried a build(hp)
        values = {"architecture": architecture} if len(study.architectures) > 1 else {}
        executor.check(settings_at(study, space, values))
    study.write()
    tensorboard.write_space(study.directory / "logs", space, study.objective)


def run_search(
    study: StudyConfig,
    executor: Executor,
    progress: Progress,
    *,
    started: float | None = None,
    exports: bool = False,
) -> None:
    """Run trials until there are no more, time is up or the target is reached, and report which of these it was.

    Can be ended at any time and run again.

    Args:
        study: that is written.
        executor: started.
        progress: which shows how trials go and end.
        started: when this session began, a value of time.monotonic(), if it was before now.
        exports: whether the best model is exported afterwards, within the time of `auto`.

    Raises:
        SearchFailed: with the last failure's message, after three failed trials in a row, or when the first two fail
            with the same message.
    """
    search = _Search(study, executor, progress, stopping.Clock(study, started), exports)
    search.oracle.write_state()
    with progress:
        try:
            reason = search.run()
        finally:
            search.oracle.write_state()
        progress.line(f"the search has ended: {reason}")


@dataclass
class _Attempt:
    trial: Trial
    number: int = 1
    stopped: str = ""  # why the pruner ended it
    started: float = field(default_factory=time.monotonic)


class _Search:
    """One session of a search."""

    def __init__(
        self, study: StudyConfig, executor: Executor, progress: Progress, clock: stopping.Clock, exports: bool
    ):
        self.study, self.executor, self.progress = study, executor, progress
        self.oracle, self.clock = make_oracle(study), clock
        self.oracle.slots = executor.slots
        self.deadline = Deadline(study, clock, self.oracle, exports)
        self.running: dict[str, _Attempt] = {}
        self.failures: list[str] = []  # messages of the last trials, as long as each failed
        self.retention = CheckpointRetention(study, executor.slots)
        self.pruner = Pruner(study.search.pruner, self._histories(), study.sign)
        ended = [trial for trial in self.oracle.trials.values() if trial.status != RUNNING]
        for trial in ended:
            state = COMPLETED if trial.status == COMPLETED else (trial.message or FAILED).partition(":")[0]
            progress.count(state, trial.trial_id, trial.score)
        done = sum(stopping.epochs_of(study, trial.hyperparameters.values) for trial in ended)
        progress.expect(planned_epochs(study) - done, self.clock.seconds)

    def run(self) -> str:
        """Returns why it ended."""
        while True:
            reason = self._fill()
            if not self.running:
                return reason
            for event in self.executor.wait(TURN_SECONDS):
                self._take(event)
            for trial_id in self.deadline.to_stop(self.running):
                self.running[trial_id].stopped = "the time was up"
                self.executor.stop(trial_id)
            self.progress.show(self.executor.memory())

    def _fill(self) -> str:
        """Begin trials while there is a place for them; returns why there are no more, if so."""
        while len(self.running) < self.executor.slots:
            reason = stopping.stop_reason(self.study, self.oracle, self.clock.seconds)
            trial = None if reason else self.oracle.create_trial("coordinator")
            if trial is None or trial.status not in (RUNNING, IDLE):
                return reason or stopping.exhausted(self.study, self.oracle)
            if trial.status == IDLE:
                return ""
            self._begin(trial)
        return ""

    def _begin(self, trial: Trial) -> None:
        directory, spec = (
            self.study.trial_directory(trial.trial_id),
            trial_spec(self.study, self.oracle, trial),
        )
        if (directory / METRICS).exists():  # the coordinator was killed before it recorded the result
            self._end(trial)
            return
        spec.write(directory)
        self.running[trial.trial_id] = _Attempt(trial)
        start = spec.stop_epoch - stopping.epochs_of(self.study, trial.hyperparameters.values)
        self.progress.begin(trial.trial_id, spec.stop_epoch, start)
        self._start(trial.trial_id)

    def _start(self, trial_id: str) -> None:
        timeout = min(
            to_seconds("trial_timeout", self.study.search.trial_timeout), self.deadline.trial_limit(trial_id)
        )
        self.executor.start(trial_id, self.study.trial_directory(trial_id), timeout)

    def _take(self, event: Event) -> None:
        attempt = self.running[event.trial_id]
        if event.kind != ENDED:
            self._epoch(event, attempt)
            return
        if event.content.get("state") == FAILED and attempt.number < ATTEMPTS:
            attempt.number += 1
            cause = event.content["message"].splitlines()[0]
            self.progress.line(f"trial {event.trial_id}: {cause}; it continues in another worker")
            self._start(event.trial_id)
            return
        path = self.study.trial_directory(event.trial_id) / METRICS
        if event.content:
            seconds = time.monotonic() - attempt.started
            write_record(path, {**event.content, "seconds": seconds, "ended": time.time()})
        elif attempt.stopped and self._ended_early(attempt.trial):
            write_record(path, {**read_metrics(path.parent), "pruned": attempt.stopped})
        del self.running[event.trial_id]
        self._end(attempt.trial)

    def _ended_early(self, trial: Trial) -> bool:
        """Whether a trial made fewer epochs than it was to make; one that is stopped in its last has made all."""
        history = read_metrics(self.study.trial_directory(trial.trial_id)).get("history", {})
        trained = max(map(len, history.values()), default=0)
        return trained < stopping.epochs_of(self.study, trial.hyperparameters.values)

    def _epoch(self, event: Event, attempt: _Attempt) -> None:
        epoch, value = event.content["epoch"], event.content[self.study.objective]
        self.progress.epoch(event.trial_id, epoch, value, event.content["seconds"])
        attempt.number = 1
        if not attempt.stopped:
            attempt.stopped = self.pruner.judge(event.trial_id, epoch, value)
            if attempt.stopped:
                self.executor.stop(event.trial_id)

    def _end(self, trial: Trial) -> None:
        """Record how a trial has ended: oracle, TensorBoard, progress, retention of checkpoints."""
        metrics = read_metrics(self.study.trial_directory(trial.trial_id))
        self._tell(trial, metrics)
        tensorboard.write_trial(
            self.study.log_directory(trial.trial_id),
            trial.trial_id,
            trial.hyperparameters.values,
            metrics,
        )
        epochs = stopping.epochs_of(self.study, trial.hyperparameters.values)
        self.progress.end(trial.trial_id, metrics, epochs)
        self.retention.enforce(self.oracle, trial.trial_id)
        self._count_failures(metrics)

    def _tell(self, trial: Trial, metrics: dict) -> None:
        """Only a trial that completed is ranked."""
        self.oracle.learn_cost(trial, metrics)
        if metrics["state"] == COMPLETED:
            values = {"val_loss": metrics["loss"], self.study.objective: metrics["score"]}
            self.oracle.update_trial(trial.trial_id, values, step=metrics["best_epoch"])
            trial.status = COMPLETED
            if "new_entries" in metrics:
                self.oracle.update_space(HyperParameters.from_config(metrics["new_entries"]))
                trial.hyperparameters.values |= metrics["hyperparameters"]
        else:
            trial.status, trial.message = FAILED, f"{metrics['state']}: {metrics['message']}"
        self.oracle.end_trial(trial)

    def _count_failures(self, metrics: dict) -> None:
        if metrics["state"] != FAILED:
            self.failures.clear()
            return
        self.failures.append(metrics["message"])
        first = len(self.oracle.end_order) == len(self.failures) == FIRST_FAILURES
        if first and len(set(self.failures)) == 1:
            raise SearchFailed(
                f"the first {FIRST_FAILURES} trials failed with the same message: {self.failures[0]}. "
                f"The traceback is in {self.study.directory}/trials/*/log.txt."
            )
        if len(self.failures) == FAILURES_IN_A_ROW:
            raise SearchFailed(
                f"{FAILURES_IN_A_ROW} trials failed in a row, the last with: {self.failures[-1]}"
            )

    def _histories(self) -> dict[str, list[float]]:
        if not self.study.search.pruner:
            return {}
        paths = self.study.directory.glob(f"trials/*/{METRICS}")
        return histories(self.study, {path.parent.name: read_metrics(path.parent) for path in paths})
