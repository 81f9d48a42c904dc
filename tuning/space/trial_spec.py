"""The trial of a configuration: settings, seed, epochs to train, and the trial it continues."""

from dataclasses import replace

import keras_tuner as kt
from keras_tuner.engine.trial import Trial

from keras_cnn.training.config import TrainSettings
from tuning.config import StudyConfig
from tuning.executors.repeats import to_seed
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
    """The trial's settings, and which epochs of them to train: Hyperband continues an earlier trial.

    The seed follows from the study's and from how many points were drawn before this one, so it is the same whichever
    trial ends first; a trial that continues another has the seed of that one.
    """
    values = trial.hyperparameters.values
    parent = values.get("tuner/trial_id")
    first = trial
    while "tuner/trial_id" in first.hyperparameters.values:
        first = oracle.trials[first.hyperparameters.values["tuner/trial_id"]]
    drawn = [
        name for name, other in oracle.trials.items() if "tuner/trial_id" not in other.hyperparameters.values
    ]
    seed = to_seed(study.base.seed, drawn.index(first.trial_id))
    return TrialSpec(
        settings=replace(settings_at(study, oracle.hyperparameters, values), seed=seed),
        stop_epoch=values.get("tuner/epochs", study.base.epochs),
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
