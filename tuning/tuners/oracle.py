"""KerasTuner's oracles with files that a kill leaves whole, and without repeated configurations.

Stock oracles rewrite their files in place, repeat configurations (Bayesian search), forget their position (grid
search), promote whichever trial ends first (Hyperband), and keep their lock when a search fails.
"""

import logging
import math
import random
from pathlib import Path

import keras_tuner as kt
from keras_tuner.engine.hyperparameters import HyperParameters
from keras_tuner.engine.trial import Trial

from keras_cnn.errors import InputError
from keras_cnn.records import is_damaged, read_or_copy, read_record, understood, write_record
from keras_cnn.training.recovery import quarantine
from tuning.config import COMPLETED, DIVERGED, FAILED, RUNNING
from tuning.space.sampling import draw, is_finite, untried

logger = logging.getLogger(__name__)

ORACLE, ORACLE_COPY, TRIAL = "oracle.json", "oracle.copy.json", "trial.json"
INVALID = "INVALID"  # of a trial that is run again
OPEN = (RUNNING, INVALID)


class ProjectOracle(kt.Oracle):
    """What every oracle of a KerasTuner project gains. A mixin: it stands before the oracle's own class."""

    def _random_values(self) -> dict | None:
        """An untried configuration, determined by the seed and the number of earlier ones; None if there is none."""
        started = [trial.hyperparameters.values for trial in self.trials.values()]
        key = f"{self.seed}/{sum('tuner/trial_id' not in values for values in started)}"
        for attempt in range(self._max_collisions):
            values = draw(self.hyperparameters, f"{key}/{attempt}")
            if not self._duplicate(values):
                return values
        left = untried(self.hyperparameters, self._duplicate) if is_finite(self.hyperparameters) else []
        return random.Random(key).choice(left) if left else None

    def score_trial(self, trial: Trial) -> None:
        """Only a finite score is one: stock KerasTuner ranks an infinite one first."""
        super().score_trial(trial)
        if not math.isfinite(trial.score):
            trial.score = math.nan

    def end_trial(self, trial: Trial) -> None:
        """Record the end of a trial.

        Raises:
            RuntimeError: if too many have failed in a row; the end is recorded, and the lock released, all the same.
        """
        super().end_trial(trial)
        failed = 0
        for name in self.end_order:
            ended = self.trials[name]
            # a learning rate at which the loss diverges is a result, not a mistake in the code
            counts = ended.status == FAILED and DIVERGED not in (ended.message or "")
            failed = failed + 1 if counts else 0
        if failed >= self.max_consecutive_failed_trials:
            raise RuntimeError(
                f"Number of consecutive failures exceeded the limit of {failed}.\n" + (trial.message or "")
            )

    def _check_consecutive_failures(self) -> None:
        """`end_trial` does so when all is written."""

    def get_state(self) -> dict:
        values = {name: trial.hyperparameters.values for name, trial in self.trials.items()}
        return {**super().get_state(), "configurations": values}

    def save(self) -> None:
        for name in (ORACLE_COPY, ORACLE):
            write_record(Path(self._project_dir) / name, self.get_state())

    def _save_trial(self, trial: Trial) -> None:
        write_record(Path(self._get_trial_dir(trial.trial_id)) / TRIAL, trial.get_state())

    def reload(self) -> None:
        """Continue with the trials in the project directory; those that have not ended `create_trial` returns first.

        Raises:
            InputError: if oracle.json and its copy are missing or damaged.
        """
        project = Path(self._project_dir)
        state = _read_state(project)
        self.trials = {trial.trial_id: trial for trial in _read_trials(project)}
        self._reconcile(state)
        try:
            self.set_state({**state, "ongoing_trials": {}})
        except KeyError as error:
            raise RuntimeError(
                f"Error reloading `Oracle`: {project} is of another tuner, for it lacks {error}. Give another "
                "project_name, or pass `overwrite=True`, which deletes that search."
            ) from None
        unfinished = [name for name in self.start_order if self.trials[name].status in OPEN]
        self._retry_queue = unfinished[::-1]  # taken from its end

    def _reconcile(self, state: dict) -> None:
        """Make `state`, of oracle.json, and the trials' own files agree: a kill can come between them."""
        order, configurations = state["start_order"], state.get("configurations", {})
        for name, trial in list(self.trials.items()):
            if name not in order and trial.status in OPEN:
                del self.trials[name]  # it had not started, and is drawn again
            elif name not in order:
                order.append(name)
        for name in order:
            if name not in self.trials:
                space = HyperParameters.from_config(state["hyperparameters"])
                space.values = configurations.get(name, {})
                runs_again = name in configurations
                message = None if runs_again else f"its {TRIAL} was damaged"
                self.trials[name] = Trial(space, name, RUNNING if runs_again else FAILED, message)
        self.trials = {name: self.trials[name] for name in order}
        ended = [name for name in order if self.trials[name].status not in OPEN]
        known = [name for name in state["end_order"] if name in ended]
        state["end_order"] = [*known, *(name for name in ended if name not in known)]


def _read_state(project: Path) -> dict:
    try:
        state = read_or_copy(_parse_state, project / ORACLE, project / ORACLE_COPY)
        for name in (ORACLE, ORACLE_COPY):
            if is_damaged(project / name, _parse_state):
                logger.info(quarantine(project, project / name, "its copy is read"))
        return state
    except InputError as error:
        raise InputError(
            f"{error} The search in {project} cannot continue without it: restore the file, or begin anew with "
            "another project_name, or with overwrite=True, which deletes these trials."
        ) from None


def _parse_state(path: Path) -> dict:
    state = read_record(path)
    with understood(path):
        HyperParameters.from_config(state["hyperparameters"])
        for name in ("start_order", "end_order"):
            state[name] = list(state[name])
    return state


def _read_trials(project: Path) -> list[Trial]:
    """Those whose files are whole, as they ended; of one that has not ended without its results."""
    paths = sorted(project.glob(f"trial_*/{TRIAL}"))
    for path in paths:
        if is_damaged(path, _parse_trial):
            logger.info(quarantine(project, path, "the trial is run again"))
    trials = [_parse_trial(path) for path in paths if path.exists()]
    for trial in trials:
        if trial.status in OPEN:
            trial.metrics, trial.score = type(trial.metrics)(), None
    return trials


def _parse_trial(path: Path) -> Trial:
    record = read_record(path)
    with understood(path):
        trial = Trial.from_state(record)
        if trial.status == COMPLETED and not math.isfinite(trial.score):
            raise ValueError("its score is no number")
        return trial
