"""What callbacks remember of a training, as numbers and arrays that a file can hold.

Of EarlyStopping: its best value, the epochs since, its best weights. Strings are left out: a path may have been moved.
"""

from collections import Counter
from collections.abc import Sequence

import keras
import numpy as np

PLAIN = (int, float, bool, type(None), np.number)
Callbacks = Sequence[keras.callbacks.Callback]


def state_of(callbacks: Callbacks) -> tuple[dict[str, dict], dict[str, np.ndarray]]:
    """(name of each callback -> its numbers, `NAME/ATTRIBUTE/INDEX` -> array of a list of arrays)."""
    states = {name: vars(callback) for name, callback in _named(callbacks).items()}
    numbers = {
        name: {key: _plain(value) for key, value in state.items() if isinstance(value, PLAIN)}
        for name, state in states.items()
    }
    arrays = {
        f"{name}/{key}/{index}": array
        for name, state in states.items()
        for key, value in state.items()
        if _is_arrays(value)
        for index, array in enumerate(value)
    }
    return numbers, arrays


def restore(callbacks: Callbacks, numbers: dict[str, dict], arrays: dict[str, np.ndarray]) -> None:
    """Give callbacks what `state_of` took of those of the same class; others, which are new, begin anew."""
    named = _named(callbacks)
    for name in named.keys() & numbers.keys():
        vars(named[name]).update(numbers[name])
    lists: dict[tuple[str, str], list[np.ndarray]] = {}
    for path, array in arrays.items():
        name, key, _ = path.split("/")
        lists.setdefault((name, key), []).append(array)
    for (name, key), values in lists.items():
        if name in named:
            setattr(named[name], key, values)


def _named(callbacks: Callbacks) -> dict[str, keras.callbacks.Callback]:
    """Callbacks by their class and their number among those of it."""
    counts: Counter[str] = Counter()
    named = {}
    for callback in callbacks:
        kind = type(callback).__qualname__
        named[f"{kind} {counts[kind]}"] = callback
        counts[kind] += 1
    return named


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _is_arrays(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, np.ndarray) for one in value)
