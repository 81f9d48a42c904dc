"""Many models: search spaces, tuners, executors, studies and their reports.

`search` searches in one call, and returns a `Study`. `RandomSearch` and the like are KerasTuner's tuners with trials in
worker processes: `from tuning import RandomSearch` in the place of `from keras_tuner import RandomSearch`. All names
are imported when they are first used.
"""

import importlib

_HOMES = {
    "BayesianOptimization": "tuners.tuner",
    "GridSearch": "tuners.tuner",
    "BestTrial": "best_trial",
    "HyperCNN": "hypermodel",
    "Hyperband": "tuners.tuner",
    "RandomSearch": "tuners.tuner",
    "Study": "study",
    "Tuner": "tuners.tuner",
    "search": "api",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
