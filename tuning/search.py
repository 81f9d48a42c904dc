"""The search: ask the oracle, hand the trial to the executor, tell the oracle. New or resumed."""

import hashlib
import time
from dataclasses import replace

import keras_tuner as kt

from keras_cnn.errors import InputError
from keras_cnn.files import read_json, write_json
from keras_cnn.runs import METRICS
from keras_cnn.training.settings import TrainSettings
from tuning import hparams
from tuning.executors.local import LocalExecutor
from tuning.oracles import declare_space, make_oracle
from tuning.progress import Progress
from tuning.settings import COMPLETED, FAILED, STUDY, Study, TrialSpec, read_trial, to_seconds
from tuning.space import overlay, point

FAILURES_IN_A_ROW = 3
ATTEMPTS = 2  # of a trial whose worker dies: the second goes on at the last finished epoch


class SearchFailed(InputError):
    """So many trials failed in a row that the cause is not in the hyperparameters."""


def start_study(study: Study, executor: LocalExecutor) -> None:
    """Write a new study. InputError if its directory holds one, or if its trials could not start;
    then nothing is written."""
    if (study.directory / STUDY).exists():
        raise InputError(
            f"{study.directory} already holds a study. Continue it with python -m tuning resume "
            f"{study.directory}, or choose another --directory."
        )
    space = declare_space(study)
    for architecture in study.architectures:
        values = {"architecture": architecture} if len(study.architectures) > 1 else {}
        executor.check(_settings(study, _with(space, values)))
    study.write()
    hparams.write_space(study.directory / "logs", space, study.objective)


def run_search(study: Study, executor: LocalExecutor, progress: Progress) -> None:
    """Run trials until there are no more, time is up or the target is reached, and tell which of these it was.

    Can be ended at any time and run again. Raises SearchFailed, with the last failure's message, after three failed
    trials in a row.
    """
    oracle, failures = make_oracle(study), 0
    seconds = sum(read_json(path)["seconds"] for path in study.directory.glob(f"trials/*/{METRICS}"))
    with progress:
        while not (reason := _enough(study, oracle, seconds)):
            trial = oracle.create_trial("coordinator")
            if trial.status != "RUNNING":
                reason = _exhausted(study, oracle)
                break
            metrics = run_one(study, trial, executor, progress)
            seconds += metrics["seconds"]
            _tell(oracle, trial, metrics, study.objective)
            hparams.write_trial(
                study.log_directory(trial.trial_id), trial.trial_id, trial.hyperparameters.values, metrics
            )
            progress.line(_summary(oracle, trial, metrics, study.objective))
            failures = failures + 1 if metrics["state"] == FAILED else 0
            if failures == FAILURES_IN_A_ROW:
                raise SearchFailed(f"{failures} trials failed in a row, the last with: {metrics['message']}")
        progress.line(f"the search has ended: {reason}")


def _enough(study: Study, oracle: kt.Oracle, seconds: float) -> str:
    """Why no further trial may begin, after `seconds` of trials; empty if one may."""
    search = study.search
    best = max((trial.score for trial in oracle.trials.values() if trial.status == COMPLETED), default=0.0)
    if search.target is not None and best >= search.target:
        return f"{study.objective} {best:.4f} has reached the target of {search.target}"
    if seconds >= to_seconds("time", search.time):
        return f"its trials have taken {seconds:.0f} s, and {search.time} were given"
    return ""


def _exhausted(study: Study, oracle: kt.Oracle) -> str:
    """Why the oracle has no further trial."""
    done = len(oracle.trials)
    if oracle.max_trials and done >= oracle.max_trials:
        return f"all {done} trials are done"
    if study.search.tuner == "hyperband":
        return f"all brackets are done, {done} trials"
    return f"the space holds no other point than the {done} that were tried"


def run_one(study: Study, trial: kt.engine.trial.Trial, executor: LocalExecutor, progress: Progress) -> dict:
    """Run one trial to its end, from where an interrupted attempt left it; returns its metrics.json."""
    directory, spec = study.trial_directory(trial.trial_id), trial_spec(study, trial)

    def show(epoch: dict) -> None:
        progress.running(
            f"trial {trial.trial_id}: epoch {epoch['epoch']}/{spec.stop_epoch}, "
            f"{study.objective} {epoch[study.objective]:.4f}, {epoch['seconds']:.1f} s an epoch"
        )

    # it is there if a kill fell between a trial's end and the telling of it
    if not (directory / METRICS).exists():
        spec.write(directory)
        progress.running(f"trial {trial.trial_id}: starting")
        started, timeout = time.monotonic(), to_seconds("trial_timeout", study.search.trial_timeout)
        death, attempt = executor.run(directory, show, timeout), 1
        while death and death["state"] == FAILED and attempt < ATTEMPTS:
            progress.line(
                f"trial {trial.trial_id}: {death['message'].splitlines()[0]}; it goes on in another"
            )
            death, attempt = executor.run(directory, show, timeout), attempt + 1
        if death:
            write_json(directory / METRICS, {**death, "seconds": time.monotonic() - started})
    return read_json(directory / METRICS)


def trial_spec(study: Study, trial: kt.engine.trial.Trial) -> TrialSpec:
    """The trial's settings, and which epochs of them to train: Hyperband continues an earlier trial."""
    values = trial.hyperparameters.values
    parent = values.get("tuner/trial_id")
    return TrialSpec(
        settings=replace(
            _settings(study, trial.hyperparameters.copy()), seed=_seed(study, trial.trial_id, parent)
        ),
        stop_epoch=values.get("tuner/epochs", study.base.epochs),
        start_from=f"../{parent}" if parent else None,
        logs=f"../../logs/{trial.trial_id}",
        hyperparameters=values,
    )


def _with(space: kt.HyperParameters, values: dict) -> kt.HyperParameters:
    """A copy of `space` with some of its values put in the place of the defaults."""
    copy = space.copy()
    copy.values.update(values)
    return copy


def _settings(study: Study, hp: kt.HyperParameters) -> TrainSettings:
    values = point(hp, study.architectures, study.seen, study.given, wide=study.wide)
    return TrainSettings.from_dict(overlay(study.base.to_dict(), values))


def _seed(study: Study, trial_id: str, parent: str | None) -> int:
    """A trial's own seed, from the study's; one that continues another goes on with that one's."""
    if parent:
        return read_trial(study.trial_directory(parent)).settings.seed
    digest = hashlib.sha256(f"{study.base.seed}/{trial_id}".encode()).digest()
    return int.from_bytes(digest[:4]) >> 1  # a NumPy and TensorFlow seed: 31 bits


def _tell(oracle: kt.Oracle, trial: kt.engine.trial.Trial, metrics: dict, objective: str) -> None:
    """Only a trial that completed is ranked."""
    if metrics["state"] == COMPLETED:
        oracle.update_trial(trial.trial_id, {objective: metrics["score"]}, step=metrics["best_epoch"])
        trial.status = COMPLETED
    else:
        trial.status, trial.message = FAILED, f"{metrics['state']}: {metrics['message']}"
    oracle.end_trial(trial)


def _summary(oracle: kt.Oracle, trial: kt.engine.trial.Trial, metrics: dict, objective: str) -> str:
    if metrics["state"] != COMPLETED:
        return f"trial {trial.trial_id}: {metrics['state']}: {metrics['message'].splitlines()[0]}"
    best = oracle.get_best_trials()[0]
    return (
        f"trial {trial.trial_id}: {objective} {metrics['score']:.4f} in epoch {metrics['best_epoch']}, "
        f"{metrics['parameters']:,} parameters, {metrics['seconds']:.1f} s  (best: {best.score:.4f}, "
        f"trial {best.trial_id})"
    )
