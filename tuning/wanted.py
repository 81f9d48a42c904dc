"""What a search is to search, as its user says it: checked before anything is imported or read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.function_import import is_function_name
from keras_cnn.training.config import TrainSettings
from tuning.search_settings import SearchSettings, check_target


@dataclass(frozen=True)
class Wanted:
    """What a user wants searched.

    Args:
        base: settings of every trial, but for what is searched; `architecture` is the first of `architectures`.
        search: how to search.
        architectures: to choose from; or one, a user's build(hp).
        fixed: settings that are not searched, by dotted name.
        takes_hyperparameters: whether the architecture is a build(hp), of which all that it declares is searched.
        start_with: files of configurations to try first.
        further_objectives: beside that of `base`, of the Pareto front.
        epochs_follow_time: whether no number of epochs was given, and the tuner plans it from the time.
    """

    base: TrainSettings
    search: SearchSettings
    architectures: tuple[str, ...]
    fixed: dict
    takes_hyperparameters: bool = False
    start_with: Sequence[str | Path] = ()
    further_objectives: tuple[str, ...] = ()
    epochs_follow_time: bool = False

    def __post_init__(self) -> None:
        """Raise InputError for combinations that cannot be searched; those that TensorFlow knows, `begin` refuses."""
        names, options = self.architectures, self.base.options
        given = ", ".join(f"--options.{name}" for name in options)
        if options and (len(names) > 1 or self.takes_hyperparameters):
            whom = "several architectures" if len(names) > 1 else "build(hp), whose space is its own"
            raise InputError(
                f"{given} cannot be given for {whom} ({', '.join(names)}): search one architecture, or drop it."
            )
        own = [name for name in names if is_function_name(name)]
        if own and len(names) > 1:
            raise InputError(
                f"{own[0]} has no settings of layers, which the search would choose for the others: search it alone."
            )
        if self.search.min_epochs > self.base.epochs:
            raise InputError(
                f"min_epochs={self.search.min_epochs} must be at most the {self.base.epochs} epochs of a trial."
            )
        if (
            not own and not self.takes_hyperparameters
        ):  # of models of the user's own `begin` knows the objective
            check_target(self.search.target, self.base.objective)
        if self.start_with and self.search.tuner == "grid":
            raise InputError(
                "--start_with: a grid has its own order. Use auto, random, bayesian or hyperband."
            )

    @property
    def title(self) -> str:
        """What is searched, as part of a line."""
        from keras_cnn.models.own import own_stem

        return "+".join(own_stem(name) for name in self.architectures)

    def check_names(self) -> None:
        """Raise InputError for unknown names; needs TensorFlow."""
        for architecture in self.architectures:
            replace(self.base, architecture=architecture).check_names()
