"""The hyperparameters of a study as axes of figures: where a configuration is, and what the ticks say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras_tuner as kt
from keras_tuner.engine.hyperparameters import Fixed

from tuning.reporting.grid import short

LABEL_CHARACTERS = 14  # of a tick; the whole value is shown on hovering


def varied(space: kt.HyperParameters) -> list:
    """The hyperparameters that vary."""
    return [hp for hp in space.space if not isinstance(hp, Fixed) and len(list(hp.values)) > 1]


@dataclass(frozen=True)
class SearchAxis:
    """Hyperparameters of which each configuration has at most one, as an axis from 0 to 1.

    Args:
        name: of the axis.
        parameters: such as `learning_rate_sgd` and `learning_rate_adamw`, of the optimizers.
    """

    name: str
    parameters: Sequence[Any]

    @property
    def is_number(self) -> bool:
        """Whether it is a range, and no choice."""
        return all(hasattr(one, "min_value") for one in self.parameters)

    @property
    def is_log(self) -> bool:
        """Whether the axis is logarithmic."""
        return self.is_number and any(one.sampling in ("log", "reverse_log") for one in self.parameters)

    @cached_property
    def choices(self) -> list:
        """All values, numbers ascending; of a choice."""
        found = list(dict.fromkeys(value for one in self.parameters for value in one.values))
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in found)
        return sorted(found) if numbers else found

    @cached_property
    def range(self) -> tuple[float, float]:
        """The ends; of a range of numbers."""
        return min(one.min_value for one in self.parameters), max(one.max_value for one in self.parameters)

    def value(self, configuration: dict) -> Any:
        """The value of a configuration; None where the hyperparameter belongs to a choice that was not made."""
        names = [one.name for one in self.parameters if one.name in configuration]
        return configuration[names[0]] if names else None

    def position(self, configuration: dict) -> float:
        """Where a configuration is, in [0, 1]; NaN without a value."""
        value = self.value(configuration)
        return math.nan if value is None else self.at(value)

    def at(self, value: Any) -> float:
        """Where a value is, in [0, 1]; NaN if the space no longer holds it."""
        if not self.is_number:
            return (
                (self.choices.index(value) + 0.5) / len(self.choices) if value in self.choices else math.nan
            )
        low, high = self.range
        if self.is_log:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    def ticks(self) -> tuple[list[float], list[str]]:
        """Positions and labels: every choice, or the ends and the middle of a range."""
        values = self.choices if not self.is_number else self._range_ticks()
        labels = [short(value) for value in values]
        shortened = [
            text if len(text) <= LABEL_CHARACTERS else f"{text[: LABEL_CHARACTERS - 1]}…" for text in labels
        ]
        return [self.at(value) for value in values], shortened

    def _range_ticks(self) -> list[float]:
        low, high = self.range
        middle = math.sqrt(low * high) if self.is_log else (low + high) / 2
        if all(isinstance(end, int) for end in (low, high)):
            middle = round(middle)
        return list(dict.fromkeys((low, middle, high)))


def search_axes(space: kt.HyperParameters) -> dict[str, SearchAxis]:
    """An axis for each hyperparameter that varies, by name.

    `learning_rate_sgd` and `learning_rate_adamw`, of which a trial has only one, are joined as `learning_rate`.
    """
    found: dict[str, list] = {}
    for parameter in varied(space):
        name = parameter.name
        for condition in parameter.conditions:
            for value in condition.values:
                name = name.removesuffix(f"_{value}")
        found.setdefault(name, []).append(parameter)
    return {name: SearchAxis(name, parameters) for name, parameters in found.items()}
