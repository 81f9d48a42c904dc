"""Several objectives of a search: the first ranks trials, and all of them together make a Pareto front."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keras_cnn.errors import InputError, unknown_name
from keras_cnn.training.tasks import sign_of

COSTS = ("parameters", "macs", "latency_ms", "seconds")  # of a model; the lowest is the best
DIRECTIONS = {"min": -1, "max": 1}


@dataclass(frozen=True)
class Objective:
    """name: of `COSTS`, or a validation metric. sign: 1 if the highest value is the best, -1 if the lowest is."""

    name: str
    sign: int


def parse_objective(text: str) -> Objective:
    """The objective `NAME`, or `NAME:min` or `NAME:max` of a metric whose name does not tell which is better."""
    name, colon, direction = text.partition(":")
    if not colon:
        return Objective(name, -1 if name in COSTS else sign_of(name))
    if direction not in DIRECTIONS:
        raise unknown_name(f"direction of {name}", direction, DIRECTIONS)
    return Objective(name, DIRECTIONS[direction])


def split_objectives(given: Any) -> tuple[str | None, tuple[str, ...]]:
    """(name that ranks trials, the others) of what a user gave as the objective of a search.

    Args:
        given: None, a name, or a sequence of names; a `keras_tuner.Objective` stands for its name and direction.

    Raises:
        InputError: for an empty sequence, a name given twice, and a first one that cannot rank trials.
    """
    if given is None or isinstance(given, str):
        names = [] if given is None else [given]
    else:
        names = [_as_text(one) for one in given if one is not None] if isinstance(given, Sequence) else []
        if not names:
            raise InputError(f"objective={given!r} must be a name, or several: val_accuracy parameters.")
    if not names:
        return None, ()
    parsed = [parse_objective(name) for name in names]
    first = parsed[0]
    if first.name in COSTS:
        raise InputError(
            f"objective {first.name} cannot rank trials, of which the smallest would win: put a validation metric "
            f"before it, as in val_accuracy {first.name}."
        )
    if first.sign != sign_of(first.name):
        best = "highest" if sign_of(first.name) > 0 else "lowest"
        raise InputError(
            f"objective {names[0]}: of the first one, whose best epoch each trial keeps, the {best} value is the best, "
            "by its name; a metric is minimized if loss, error, entropy, mse or mae is part of its name."
        )
    found = [objective.name for objective in parsed]
    if len(set(found)) < len(found):
        raise InputError(f"objective {' '.join(names)} has a name twice: give each once.")
    return first.name, tuple(names[1:])


def _as_text(given: Any) -> str:
    if isinstance(given, str):
        return given
    name, direction = getattr(given, "name", None), getattr(given, "direction", None)
    if not isinstance(name, str):
        raise InputError(f"objective {given!r} is a {type(given).__name__}; allowed: str.")
    return f"{name}:{direction}" if direction else name


def check_objectives(further: Sequence[str], metrics: Sequence[str]) -> None:
    """Raise InputError for an objective that is neither one of `metrics`, the validation metrics, nor a cost."""
    for text in further:
        name = parse_objective(text).name
        if name not in (*metrics, *COSTS):
            raise unknown_name("objective", name, [*metrics, *COSTS])


def value_of(name: str, metrics: dict) -> float | None:
    """The value of an objective for a trial that has completed; None if it has none.

    Args:
        name: of a cost, or of a metric, whose value is that of the best epoch.
        metrics: of the trial: the fields of a `TrainResult`, and the costs that were measured.
    """
    if name in COSTS:
        return metrics.get("trained_seconds" if name == "seconds" else name)
    history = metrics["history"]
    epochs = zip(history[metrics["objective"]], history["val_loss"], strict=True)
    best = [place for place, found in enumerate(epochs) if found == (metrics["score"], metrics["loss"])]
    return history[name][best[0]] if best and name in history else None


def non_dominated(points: Sequence[Sequence[float | None]], signs: Sequence[int]) -> list[bool]:
    """Whether no other point is at least as good in every objective and better in one; False for an incomplete one.

    Args:
        points: values of every objective.
        signs: of each objective, as of `Objective`.
    """
    better = [
        tuple(sign * value for sign, value in zip(signs, point, strict=True)) if _is_whole(point) else None  # type: ignore[operator]
        for point in points
    ]
    whole = [point for point in better if point is not None]
    return [point is not None and not any(_dominates(other, point) for other in whole) for point in better]


def _is_whole(point: Sequence[float | None]) -> bool:
    return all(value is not None and math.isfinite(value) for value in point)


def _dominates(other: Sequence[float], point: Sequence[float]) -> bool:
    return tuple(other) != tuple(point) and all(a >= b for a, b in zip(other, point, strict=True))
