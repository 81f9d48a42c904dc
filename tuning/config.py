"""What a search and each of its trials are, as plain data."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.folds import facts_of_folds
from keras_cnn.errors import InputError, unknown_name
from keras_cnn.provenance import sessions
from keras_cnn.quantities import to_bytes, to_seconds
from keras_cnn.records import read_or_copy, read_record, understood, write_record
from keras_cnn.task import SHARES, TASKS
from keras_cnn.training.batch_size import searched_batch_sizes
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import COMPLETED as COMPLETED
from keras_cnn.training.tasks import sign_of
from tuning.objectives import Objective, parse_objective

TUNERS = ("random", "bayesian", "hyperband", "grid")
PRUNERS = ("median", "asha")
DEFAULT_TRIALS = 20
# limits of a study that cannot be changed, or its trials could not be compared
FIXED = (
    *("tuner", "repeats", "folds", "pruner", "max_parameters", "max_macs", "max_latency_ms"),
    "min_epochs",
)
# how a trial ended; only what completed is ranked
FAILED, DIVERGED = "FAILED", "DIVERGED"
OUT_OF_MEMORY, TIMED_OUT = "OUT_OF_MEMORY", "TIMED_OUT"
TOO_LARGE = "TOO_LARGE"  # it was not trained
RUNNING, INTERRUPTED = "RUNNING", "INTERRUPTED"  # while its coordinator lives, and when it does not
# of studies whose study.json has none: their trials must stay in the space
UNRECORDED_BATCH_SIZES = {"images": (32, 64, 128), "pixels": (2, 4, 8)}
DAMAGED = "DAMAGED"  # its files cannot be read; `keras-cnn resume` runs it again
STUDY = "study.json"
STUDY_COPY = "study.copy.json"  # read if a disk has damaged the other


def check_target(target: float | None, objective: str | None) -> None:
    """Raise InputError for a target that no trial can reach. objective: None for that of classes or masks."""
    if target is not None and target > 1 and objective in (None, *SHARES):
        raise InputError(
            f"target={target} must be in (0, 1], as {objective or 'accuracy'} is: 0.93 stands for 93 %."
        )


@dataclass(frozen=True)
class SearchSettings:
    """How to search.

    Args:
        tuner: random, bayesian, hyperband or grid.
        trials: at most so many trials; hyperband counts each round a net survives, and without a number
            runs one full sweep; the others make 20.
        time: no trial begins once the search has run so long, all its sessions together: 2h, 90m, 600s.
        target: no trial begins once a score is as good as this: in (0, 1] for accuracy and IoU.
        trial_timeout: a trial that takes longer is ended: 30m.
        repeats: train each point so many times, from different seeds; the score is the mean.
        folds: train each point so many times, each time validated on another of so many parts of the training and
            validation images; the score is the mean.
        pruner: end trials early that do badly, while others run: median or asha. hyperband does so itself.
        max_parameters: train no model of more parameters; such trials are reported, and not counted as trials.
        max_macs: train no model of more multiply-adds for one image (FLOPs are twice as many).
        max_latency_ms: train no model whose SavedModel takes more milliseconds for one image, in a worker.
        min_epochs: hyperband judges no trial before so many epochs.
        disk: keep weights and checkpoints within so much, those of the best trials first: 5GB, 500MB.
    """

    tuner: str = "hyperband"
    trials: int | None = None
    time: str | None = None
    target: float | None = None
    trial_timeout: str | None = None
    repeats: int = 1
    folds: int | None = None
    pruner: str | None = None
    disk: str | None = None
    max_parameters: int | None = None
    max_macs: int | None = None
    max_latency_ms: float | None = None
    min_epochs: int = 1

    def __post_init__(self) -> None:
        if self.tuner not in TUNERS:
            raise unknown_name("tuner", self.tuner, TUNERS)
        if self.trials is not None and self.trials < 1:
            raise InputError(f"trials={self.trials} must be at least 1.")
        for name in ("repeats", "max_parameters", "max_macs", "min_epochs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name}={value} must be at least 1.")
        if self.folds is not None and self.folds < 2:
            raise InputError(f"folds={self.folds} must be at least 2.")
        if self.folds and self.repeats > 1:
            raise InputError(
                f"folds={self.folds} train each point {self.folds} times already: leave --repeats out, or --folds."
            )
        for name in ("target", "max_latency_ms"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise InputError(f"{name}={value} must be more than 0.")
        for name in ("time", "trial_timeout"):
            to_seconds(name, getattr(self, name))
        to_bytes("disk", self.disk)
        if self.pruner is not None and self.pruner not in PRUNERS:
            raise unknown_name("pruner", self.pruner, PRUNERS)
        if self.min_epochs > 1 and self.tuner != "hyperband":
            raise InputError(
                f"min_epochs={self.min_epochs} belongs to hyperband: leave it out, or take --tuner hyperband."
            )
        if self.pruner and self.tuner == "hyperband":
            raise InputError("hyperband ends bad trials itself: leave --pruner out, or take another --tuner.")
        if self.pruner and self.runs > 1:
            option = "--folds" if self.folds else "--repeats"
            raise InputError(f"a pruner judges single runs: leave --pruner out, or {option}.")

    @property
    def runs(self) -> int:
        """How many times each point is trained."""
        return self.folds or self.repeats

    @property
    def trial_limit(self) -> int | None:
        """The limit of trials; None where hyperband's plan is the limit."""
        return self.trials or (None if self.tuner == "hyperband" else DEFAULT_TRIALS)


@dataclass(frozen=True)
class StudyConfig:
    """A search in its directory: `base` settings, those of them that were `given` and so are not searched
    (by dotted name), and the facts of the data. devices, threads: of each worker. wide: as in `space.point`.
    architectures: to choose from, the one of `base` if not given. first_points: hyperparameters to try first.
    batch_sizes: to choose from, those that suit the number of images if not given.
    space: of a user's build(hp), which `base.architecture` names, the hyperparameters that it declares.
    further_objectives: beside the one that ranks trials, of the Pareto front."""

    directory: Path
    search: SearchSettings
    base: TrainSettings
    fixed_hyperparameters: dict
    facts: DataFacts
    devices: int | None = None
    threads: int | None = None
    use_gpu_widths: bool = False
    architectures: tuple[str, ...] = ()
    initial_configurations: tuple[dict, ...] = ()
    batch_sizes: tuple[int, ...] = ()
    space: dict | None = None
    further_objectives: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.batch_sizes:
            sizes = searched_batch_sizes(self.model_input_info, self.devices or 1)
            object.__setattr__(self, "batch_sizes", sizes)
        if not self.architectures:
            object.__setattr__(self, "architectures", (self.base.architecture,))

    def write(self) -> None:
        """Create the directory with its study.json, which also says where each of its sessions ran."""
        self.directory.mkdir(parents=True, exist_ok=True)
        record = {name: value for name, value in dataclasses.asdict(self).items() if name != "directory"}
        record |= sessions(self.directory / STUDY, self.directory / STUDY_COPY)
        for name in (STUDY_COPY, STUDY):
            write_record(self.directory / name, record)

    @property
    def objective(self) -> str:
        """The metric that ranks trials."""
        return self.base.objective or TASKS[self.facts.task].objective

    @property
    def sign(self) -> int:
        """1 if the highest score is the best, -1 if the lowest is."""
        return sign_of(self.objective)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The one that ranks trials, and the others."""
        return Objective(self.objective, self.sign), *map(parse_objective, self.further_objectives)

    @property
    def model_input_info(self) -> DataFacts:
        """The facts, with the shape of what a net sees of an image, and of folds the images that a run trains on."""
        return self.base.input_facts(facts_of_folds(self.facts, self.search.folds))

    @property
    def title(self) -> str:
        """What is searched, and how, in a few words."""
        return f"{self.search.tuner} search of {', '.join(self.architectures)} on {self.base.data}"

    @property
    def name(self) -> str:
        return self.directory.resolve().name

    def trial_directory(self, trial_id: str) -> Path:
        return self.directory / "trials" / trial_id

    def log_directory(self, trial_id: str) -> Path:
        return self.directory / "logs" / trial_id


def read_study(directory: Path) -> StudyConfig:
    """The study in `directory`; InputError if there is none."""
    if not (directory / STUDY).exists() and not (directory / STUDY_COPY).exists():
        what = f"is not a study: it holds no {STUDY}" if directory.exists() else "does not exist"
        raise InputError(f"{directory} {what}. keras-cnn search makes a study, and prints its directory.")
    return read_or_copy(parse_study, directory / STUDY, directory / STUDY_COPY)


def parse_study(path: Path) -> StudyConfig:
    """The study that the file `path`, study.json or its copy, describes; InputError if it is damaged."""
    record = read_record(path)
    with understood(path):
        return StudyConfig(
            directory=path.parent,
            search=SearchSettings(**record["search"]),
            base=TrainSettings.from_dict(record["base"]),
            facts=DataFacts.from_dict(record["facts"]),
            devices=record["devices"],
            threads=record.get("threads"),
            architectures=tuple(record.get("architectures", ())),
            space=record.get("space"),
            further_objectives=tuple(record.get("further_objectives", ())),
            batch_sizes=tuple(
                record.get("batch_sizes", UNRECORDED_BATCH_SIZES[TASKS[record["facts"]["task"]].unit])
            ),
            **_renamed(record),
        )


def _renamed(record: dict) -> dict:
    """Fields that format version 1 names `given`, `wide` and `first_points`."""
    fixed = record.get("fixed_hyperparameters", record.get("given"))
    wide = record.get("use_gpu_widths", record.get("wide"))
    initial = record.get("initial_configurations", record.get("first_points", ()))
    return {
        "fixed_hyperparameters": fixed,
        "use_gpu_widths": wide,
        "initial_configurations": tuple(initial),
    }
