"""KerasTuner's oracles, which choose configurations, with all their state rebuilt from the trials' files.

Stock oracles keep a second copy of it in oracle.json, from which they resume and which a kill can leave wrong. Here
that file is written for stock KerasTuner to open the study, and never read.
"""

import copy
import json
import random
from pathlib import Path

import keras_tuner as kt
from keras_tuner.engine.trial import Trial

from keras_cnn.errors import InputError
from keras_cnn.files import write_json
from keras_cnn.records import read_record, understood, write_record
from keras_cnn.training.run_directory import METRICS, read_metrics
from tuning.config import COMPLETED, FAILED, RUNNING, TOO_LARGE, StudyConfig
from tuning.space.sampling import combinations, draw, is_finite, untried
from tuning.space.space import suggest
from tuning.storage.trials import outcome
from tuning.trial import read_trial

PROJECT = "keras_tuner"
MAX_COLLISIONS = 20  # draws of tried configurations before the untried ones are enumerated
IDLE, STOPPED = "IDLE", "STOPPED"


class DurableOracle(kt.Oracle):
    """An oracle without repeated configurations, with atomic writes, that continues after any interruption.

    initial_configurations: tried before the sampler's own.
    """

    initial_configurations: tuple[dict, ...] = ()
    slots = 1  # trials at once

    def create_trial(self, tuner_id: str) -> Trial:
        """The next trial; its status is RUNNING, IDLE (ask again when a trial has ended) or STOPPED."""
        if self._retry_queue:
            ready = [name for name in self._retry_queue if not self._waits(name)]
            if not ready:
                return Trial(self.hyperparameters.copy(), status=IDLE)
            self._retry_queue.remove(ready[0])
            trial = self.trials[ready[0]]
        else:
            number = 1 + max(map(int, self.trials), default=-1)
            trial = self._new_trial(f"{number:04d}")
            if trial.status != RUNNING:
                return trial
            self._record(trial)
            self._save_trial(trial)
        self.ongoing_trials[trial.trial_id] = trial
        return trial

    def _waits(self, trial_id: str) -> bool:
        """Whether a trial continues another that runs, as after damage to both."""
        parent = self.trials[trial_id].hyperparameters.values.get("tuner/trial_id")
        return parent in self.trials and self.trials[parent].status == RUNNING

    def _new_trial(self, trial_id: str) -> Trial:
        full = self.max_trials and self.n_trained() >= self.max_trials
        response = {"status": STOPPED} if full else self.populate_space(trial_id)
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.values = response.get("values") or {}
        return Trial(hyperparameters, trial_id, response["status"])

    def populate_space(self, trial_id: str) -> dict:
        values = self.sample_untried()
        return {"status": STOPPED} if values is None else {"status": RUNNING, "values": values}

    def sample_untried(self) -> dict | None:
        """An untried configuration, determined by the seed and the number of earlier ones; None if there is none."""
        n_started = self.n_started()
        if n_started < len(self.initial_configurations):
            return dict(self.initial_configurations[n_started])
        for attempt in range(MAX_COLLISIONS):
            values = draw(self.hyperparameters, f"{self.seed}/{n_started}/{attempt}")
            if not self._duplicate(values):
                return values
        left = untried(self.hyperparameters, self._duplicate) if is_finite(self.hyperparameters) else []
        return random.Random(f"{self.seed}/{n_started}").choice(left) if left else None

    @property
    def sign(self) -> int:
        """1 if the highest score is the best, -1 if the lowest is."""
        return 1 if self.objective.direction == "max" else -1

    @property
    def best_score(self) -> float:
        """The best score so far; if no trial has completed, infinitely bad."""
        completed = [self.sign * trial.score for trial in self.trials.values() if trial.status == COMPLETED]
        return self.sign * max(completed, default=-float("inf"))

    def n_started(self) -> int:
        """Number of configurations that were started; a trial that continues another is not counted."""
        return sum("tuner/trial_id" not in trial.hyperparameters.values for trial in self.trials.values())

    def n_trained(self) -> int:
        """Number of trials, without those whose models were too large to be trained."""
        return sum(not is_too_large(trial) for trial in self.trials.values())

    def _record(self, trial: Trial) -> None:
        self.trials[trial.trial_id] = trial
        self.start_order.append(trial.trial_id)
        self._record_values(trial)

    def _compute_values_hash(self, values: dict) -> str:
        return configuration_key(values)

    def save(self) -> None:
        """KerasTuner calls this twice a trial; `write_state` does it once a search."""

    def write_state(self) -> None:
        """Write oracle.json, and tuner0.json, without which stock KerasTuner takes the study for a new one."""
        write_json(Path(self._get_oracle_fname()), self.get_state())
        write_json(Path(self._project_dir) / "tuner0.json", {})

    def _save_trial(self, trial: Trial) -> None:
        write_record(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self) -> None:
        """Rebuild the trials from the study's own files; those that have not ended `create_trial` returns first.

        A trial that has ended, but whose end was not recorded because the coordinator was killed, is one of these.
        """
        study = Path(self._project_dir).parent
        for directory in sorted(study.glob("trials/*")):
            hyperparameters = self.hyperparameters.copy()
            hyperparameters.values = configuration_of(study, directory.name)
            trial = Trial(hyperparameters, directory.name, RUNNING)
            if (directory / METRICS).exists() and _end_is_recorded(study, directory.name):
                self._restore_outcome(trial, read_metrics(directory))
            self._check_space(trial)
            self._record(trial)
        self.end_order = [name for name, trial in self.trials.items() if trial.status != RUNNING]
        self._retry_queue = [name for name, trial in self.trials.items() if trial.status == RUNNING]

    def learn_cost(self, trial: Trial, metrics: dict) -> None:
        """Take up what a trial that has ended did cost, of which most oracles make no use."""

    def _restore_outcome(self, trial: Trial, metrics: dict) -> None:
        self.learn_cost(trial, metrics)
        if metrics["state"] != COMPLETED:
            trial.status, trial.message = FAILED, f"{metrics['state']}: {metrics['message']}"
            return
        trial.status, trial.score, trial.best_step = COMPLETED, metrics["score"], metrics["best_epoch"]
        values = {"val_loss": ("min", metrics["loss"])}  # which may be the objective
        values[self.objective.name] = self.objective.direction, metrics["score"]
        for name, (direction, value) in values.items():
            trial.metrics.register(name, direction)
            trial.metrics.update(name, value, step=metrics["best_epoch"])

    def _check_space(self, trial: Trial) -> None:
        known = {parameter.name for parameter in self.hyperparameters.space}
        unknown = [name for name in trial.hyperparameters.values if not name.startswith("tuner/")]
        unknown = [name for name in unknown if name not in known]
        if unknown:
            raise InputError(
                f"trial {trial.trial_id} in {Path(self._project_dir).parent} has hyperparameters that this version "
                f"does not search ({', '.join(unknown)}), so its trials cannot be compared with new ones. Continue "
                "with the version that study.json names."
            )

    def _check_consecutive_failures(self) -> None:
        """The search decides when failures end it."""


class RandomOracle(DurableOracle):
    """Independent random configurations."""


class GridOracle(DurableOracle):
    """Every combination in turn, the first hyperparameter varying slowest."""

    def sample_untried(self) -> dict | None:
        if not hasattr(self, "_rest"):
            self._rest = combinations(self.hyperparameters)
        return next((values for values in self._rest if not self._duplicate(values)), None)


def oracle_file(study: Path, trial_id: str) -> Path:
    """What KerasTuner reads of a trial."""
    return study / PROJECT / f"trial_{trial_id}" / "trial.json"


def configuration_of(study: Path, trial_id: str) -> dict:
    """The hyperparameters of a trial, from its own file, or if that is damaged from KerasTuner's.

    Raises:
        InputError: if neither can be read.
    """
    try:
        return read_trial(study / "trials" / trial_id).hyperparameters
    except InputError:
        path = oracle_file(study, trial_id)
        with understood(path):
            return read_record(path)["hyperparameters"]["values"]


def _end_is_recorded(study: Path, trial_id: str) -> bool:
    try:
        return read_record(oracle_file(study, trial_id)).get("status") in (COMPLETED, FAILED)
    except InputError:
        return False


def configuration_key(values: dict) -> str:
    """A configuration as a string, without the tuner's own entries; 1 and 1.0 differ, as in JSON."""
    return json.dumps({k: v for k, v in sorted(values.items()) if not k.startswith("tuner/")})


def is_too_large(trial: Trial) -> bool:
    """Whether the model of a trial exceeds the limits of the study, so that it was not trained."""
    return (trial.message or "").startswith(f"{TOO_LARGE}:")


def rank_key(trial: Trial, sign: int = 1) -> tuple[float, float]:
    """A key that sorts completed trials, best first: by score, then loss; sign: as `StudyConfig.sign`."""
    losses = trial.metrics.get_history("val_loss") if trial.metrics.exists("val_loss") else []
    return -sign * trial.score, losses[0].value[0] if losses else 0.0


def ranking(trial: Trial, sign: int = 1) -> tuple:
    """`rank_key`, with ties broken by the configuration, never by the time of the end."""
    return *rank_key(trial, sign), configuration_key(trial.hyperparameters.values)


def declare_space(study: StudyConfig) -> kt.HyperParameters:
    """Every hyperparameter of the study, at its default; of a user's build(hp) also those that trials have found."""
    space = kt.HyperParameters()
    if study.space is not None:
        found = [outcome(path).get("new_entries") for path in sorted(study.directory.glob("trials/*"))]
        for config in [study.space, *filter(None, found)]:
            # KerasTuner changes the conditions in the dict it is given, which must be read again
            space.merge(kt.HyperParameters.from_config(copy.deepcopy(config)), overwrite=False)
        return space
    suggest(
        space,
        study.architectures,
        study.model_input_info,
        study.fixed_hyperparameters,
        use_gpu_widths=study.use_gpu_widths,
        batch_sizes=study.batch_sizes,
    )
    return space
