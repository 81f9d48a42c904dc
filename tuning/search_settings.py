"""SearchSettings: how to search, as flat, plain data; options of `keras-cnn search`."""

from dataclasses import dataclass

from keras_cnn.errors import InputError, unknown_name
from keras_cnn.quantities import to_bytes, to_seconds
from keras_cnn.task import SHARES

TUNERS = ("auto", "random", "bayesian", "hyperband", "grid")
HALVING = (
    "auto",
    "hyperband",
)  # tuners that train bad configurations for less, and plan how many trials there are
PRUNERS = ("median", "asha")
DEFAULT_TRIALS = 20
SEARCH_EPOCHS = 8  # of a trial, if none are given
# limits of a study that cannot be changed, or its trials could not be compared
FIXED = (
    *("tuner", "repeats", "folds", "pruner", "max_parameters", "max_macs", "max_latency_ms"),
    "min_epochs",
)


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
        tuner: auto, random, bayesian, hyperband or grid.
        trials: at most so many trials; auto and hyperband count each training of a configuration. Without a number
            hyperband runs one full sweep and auto two generations; the others make 20.
        time: how long the search may take, all its sessions together: 2h, 90m, 600s. auto plans for it, with start and
            export; the others begin no trial later.
        target: no trial begins once a score is as good as this: in (0, 1] for accuracy and IoU.
        trial_timeout: a trial that takes longer is ended: 30m.
        repeats: train each point so many times, from different seeds; the score is the mean.
        folds: train each point so many times, each time validated on another of so many parts of the training and
            validation images; the score is the mean.
        pruner: end trials early that do badly, while others run: median or asha. auto and hyperband do so themselves.
        max_parameters: train no model of more parameters; such trials are reported, and not counted as trials.
        max_macs: train no model of more multiply-adds for one image (FLOPs are twice as many).
        max_latency_ms: train no model whose SavedModel takes more milliseconds for one image, in a worker.
        min_epochs: auto and hyperband judge no trial before so many epochs.
        disk: keep weights and checkpoints within so much, those of the best trials first: 5GB, 500MB.
    """

    tuner: str = "auto"
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
        if self.min_epochs > 1 and self.tuner not in HALVING:
            raise InputError(
                f"min_epochs={self.min_epochs} belongs to auto and hyperband: leave it out, or take one of them."
            )
        if self.pruner and self.tuner in HALVING:
            raise InputError(
                f"{self.tuner} ends bad trials itself: leave --pruner out, or take another --tuner."
            )
        if self.pruner and self.runs > 1:
            option = "--folds" if self.folds else "--repeats"
            raise InputError(f"a pruner judges single runs: leave --pruner out, or {option}.")

    def epochs_follow_time(self, epochs: int | None) -> bool:
        """Whether the tuner plans the epochs from the time, as no number of `epochs` is given."""
        return epochs is None and self.tuner == "auto" and self.time is not None

    @property
    def runs(self) -> int:
        """How many times each point is trained."""
        return self.folds or self.repeats

    @property
    def trial_limit(self) -> int | None:
        """The limit of trials; None where the tuner's plan is the limit."""
        return self.trials or (None if self.tuner in HALVING else DEFAULT_TRIALS)
