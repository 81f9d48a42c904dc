"""One trial of a user's tuner in a worker process: from its trial.json to its result.json."""

import functools
import gc
import math
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras_tuner as kt
import tensorflow as tf
from keras_tuner.engine.trial import Trial
from keras_tuner.src.engine import tuner_utils

from keras_cnn.errors import DamagedFileError, is_disk_full
from keras_cnn.records import read_record, write_record
from tuning.config import COMPLETED, FAILED
from tuning.tuners.keras_settings import apply_keras_settings, keras_settings
from tuning.tuners.oracle import INVALID
from tuning.tuners.program import called, load_program

RESULT = "result.json"
FATAL = "FATAL"  # the search ends


def portable_content(tuner: kt.Tuner, args: tuple, kwargs: dict) -> tuple:
    """What `Program` needs to build `tuner` again in another process, without its trials."""
    oracle = tuner.oracle
    inner = {
        "objective": oracle.objective,
        "hyperparameters": oracle.get_space(),
        "max_trials": oracle.max_trials,
        "seed": oracle.seed,
    }
    left_out = ("oracle", "report", "distribution_strategy")
    state = {name: value for name, value in vars(tuner).items() if name not in left_out}
    state["directory"] = str(Path(tuner.directory).resolve())
    return keras_settings(), type(tuner), state, inner, args, kwargs


@functools.lru_cache(maxsize=1)
def _load(program: Path) -> tuple[Any, tuple, dict]:
    """(tuner, args, kwargs) of a search; trials of one search share their data."""
    settings, kind, state, inner, args, kwargs = load_program(program)
    apply_keras_settings(settings)
    tuner = object.__new__(kind)
    vars(tuner).update(state)
    gc.freeze()  # KerasTuner collects garbage twice a trial, which looks through all that was ever imported
    tuner.oracle = kt.Oracle(**inner)
    tuner.oracle._set_project_dir(tuner.directory, tuner.project_name)
    return tuner, *called(args, kwargs)


def run_user_trial(
    program: Path, directory: Path, strategy: tf.distribute.Strategy | None, report: Callable
) -> None:
    """Train the trial in `directory`, or go on with it, and write result.json there.

    Args:
        program: file of a `Program` of `portable_content`.
        directory: with the trial's trial.json.
        strategy: to build and train its model under.
        report: called after each epoch with its number, from 1, and its metrics; training ends if it returns True.
    """
    tuner, args, kwargs = _load(program)
    tuner.report, tuner.distribution_strategy = report, strategy
    trial = Trial.from_state(read_record(directory / "trial.json"))
    write_record(directory / RESULT, _outcome(tuner, trial, args, kwargs))


def _outcome(tuner: kt.Tuner, trial: Trial, args: tuple, kwargs: dict) -> dict:
    try:
        results = tuner.run_trial(trial, *args, **kwargs)
        objective = tuner.oracle.objective
        tuner_utils.validate_trial_results(results, objective, "Tuner.run_trial()")
        metrics = tuner_utils.convert_to_metrics_dict(results, objective)
        return {
            "state": COMPLETED,
            "metrics": {name: _number(value) for name, value in metrics.items()},
            "step": tuner_utils.get_best_step(results, objective),
            "hyperparameters": trial.hyperparameters.get_config(),
        }
    except SystemExit as error:
        return {"state": FATAL, "error": "SystemExit", "message": str(error)}
    except Exception as error:
        if isinstance(error, DamagedFileError) or is_disk_full(error):
            raise  # no fault of the trial's
        traceback.print_exc()  # into the trial's log
        return {
            "state": _state_of(error),
            "error": type(error).__name__,
            "message": traceback.format_exc(),
            "hyperparameters": trial.hyperparameters.get_config(),
        }


def _state_of(error: Exception) -> str:
    if isinstance(error, kt.errors.FatalError):
        return FATAL
    return FAILED if isinstance(error, kt.errors.FailedTrialError) else INVALID


def _number(value: Any) -> float:
    """A metric, NaN if it is infinite too."""
    number = float(value)
    return number if math.isfinite(number) else math.nan
