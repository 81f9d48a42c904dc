"""What a search and each of its trials are, as plain data."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.folds import facts_of_folds
from keras_cnn.errors import InputError
from keras_cnn.provenance import sessions
from keras_cnn.records import read_or_copy, read_record, understood, write_record
from keras_cnn.task import TASKS
from keras_cnn.training.batch_size import searched_batch_sizes
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import COMPLETED as COMPLETED
from keras_cnn.training.tasks import sign_of
from tuning.objectives import Objective, parse_objective
from tuning.search_settings import SearchSettings

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


@dataclass(frozen=True)
class StudyConfig:
    """A search in its directory: `base` settings, those of them that were `given` and so are not searched
    (by dotted name), and the facts of the data. devices, threads: of each worker. wide: as in `space.point`.
    architectures: to choose from, the one of `base` if not given. first_points: hyperparameters to try first.
    batch_sizes: to choose from, those that suit the number of images if not given.
    space: of a user's build(hp), which `base.architecture` names, the hyperparameters that it declares.
    further_objectives: beside the one that ranks trials, of the Pareto front.
    epochs_follow_time: whether the tuner `auto` chooses the epochs of a training in full from `search.time`, and not
    those of `base`."""

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
    epochs_follow_time: bool = False

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
            epochs_follow_time=record.get("epochs_follow_time", False),
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
