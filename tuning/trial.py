"""One trial of a search as plain data, in a file of its own: all that a worker needs to train it."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from keras_cnn.records import read_record, understood, write_record
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import TRIAL


@dataclass(frozen=True)
class TrialSpec:
    """One trial: train `settings` to `stop_epoch` of its schedule.

    start_from: the directory, relative to the trial's own, of the trial whose last state it continues with.
    logs: TensorBoard's folder, relative to the trial's directory. repeats: number of runs, each with its own seed.
    takes_hyperparameters: whether `settings.architecture` is a user's build(hp).
    folds: number of folds of a cross-validation, each a run of its own; None for the data's own splits.
    fold: of one run, as `fold_of` takes it.
    objectives: names of those beside `settings.objective`, whose values metrics.json is to hold.
    """

    settings: TrainSettings
    stop_epoch: int
    start_from: str | None = None
    logs: str = "logs"
    repeats: int = 1
    hyperparameters: dict = field(default_factory=dict)
    takes_hyperparameters: bool = False
    max_parameters: int | None = None
    max_macs: int | None = None
    max_latency_ms: float | None = None
    objectives: tuple[str, ...] = ()
    folds: int | None = None
    fold: tuple[int, int] | None = None

    def write(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        write_record(directory / TRIAL, dataclasses.asdict(self))


def read_trial(directory: Path) -> TrialSpec:
    """The trial in `directory`; InputError if its trial.json is missing or damaged."""
    record = read_record(directory / TRIAL)
    with understood(directory / TRIAL):
        return TrialSpec(
            **{
                **record,
                "settings": TrainSettings.from_dict(record["settings"]),
                "objectives": tuple(record.get("objectives", ())),
                "fold": tuple(record["fold"]) if record.get("fold") else None,
            }
        )
