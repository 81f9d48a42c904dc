"""The trial of a configuration: settings, seed, epochs to train, and the trial it continues."""

from dataclasses import replace

import keras_tuner as kt
from keras_tuner.engine.trial import Trial

from keras_cnn.training.config import TrainSettings
from tuning.config import StudyConfig
from tuning.executors.repeats import to_seed
from tuning.oracles.plan import continues_trials
from tuning.space.space import overlay, suggest
from tuning.trial import TrialSpec


def settings_at(study: StudyConfig, space: kt.HyperParameters, values: dict) -> TrainSettings:
    """The settings of the configuration `values`; missing hyperparameters are at their defaults."""
    if study.space is not None:
        return study.base
    hp = space.copy()
    # the space has values of what its default configuration makes active alone
    hp.values = {parameter.name: parameter.default for parameter in space.space} | space.values | values
    values = suggest(
        hp,
        study.architectures,
        study.model_input_info,
        study.fixed_hyperparameters,
        use_gpu_widths=study.use_gpu_widths,
        batch_sizes=study.batch_sizes,
    )
    return TrainSettings.from_dict(overlay(study.base.to_dict(), values))


def trial_spec(study: StudyConfig, oracle: kt.Oracle, trial: Trial) -> TrialSpec:
    """The trial's settings, and which epochs of them to train, from new weights or from the end of an earlier trial."""
    values = trial.hyperparameters.values
    settings = replace(settings_at(study, oracle.hyperparameters, values), seed=_seed(study, oracle, trial))
    stop_epoch = values.get("tuner/epochs", study.base.epochs)
    parent = values.get("tuner/trial_id") if continues_trials(study) else None
    if study.search.tuner == "auto" and not continues_trials(study):
        settings = replace(settings, epochs=stop_epoch)  # a whole schedule
    return TrialSpec(
        settings=settings,
        stop_epoch=stop_epoch,
        start_from=f"../{parent}" if parent else None,
        logs=f"../../logs/{trial.trial_id}",
        repeats=study.search.repeats,
        hyperparameters=values,
        takes_hyperparameters=study.space is not None,
        max_parameters=study.search.max_parameters,
        max_macs=study.search.max_macs,
        max_latency_ms=study.search.max_latency_ms,
        folds=study.search.folds,
        objectives=tuple(objective.name for objective in study.objectives[1:]),
    )


def _seed(study: StudyConfig, oracle: kt.Oracle, trial: Trial) -> int:
    """The seed of a trial.

    `auto` compares all configurations with one seed, so that initial weights and the order of the images differ no more
    than they must. Elsewhere it follows from the study's and from how many configurations were drawn before, so it is
    the same whichever trial ends first; a trial that continues another has the seed of that one.
    """
    if study.search.tuner == "auto":
        return study.base.seed
    first = trial
    while "tuner/trial_id" in first.hyperparameters.values:
        first = oracle.trials[first.hyperparameters.values["tuner/trial_id"]]
    drawn = [
        name for name, other in oracle.trials.items() if "tuner/trial_id" not in other.hyperparameters.values
    ]
    return to_seed(study.base.seed, drawn.index(first.trial_id))
