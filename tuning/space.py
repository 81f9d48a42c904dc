"""The search space: hyperparameters in, plain settings out. No Keras object, no data.

A hyperparameter bears the dotted name of the setting it decides (`options.blocks`); one that exists only
under a condition also bears the condition's value (`learning_rate_sgd`), for names must be unique.
"""

import math
from collections.abc import Callable

import keras_tuner as kt

from keras_cnn.data.facts import DataFacts
from keras_cnn.errors import InputError

# Peak rates worth trying; SGD's are the larger by about two orders (Smith 2017; Loshchilov & Hutter 2019).
LEARNING_RATES = {"adamw": (3e-4, 1e-2), "sgd": (1e-2, 3e-1), "adam": (3e-4, 1e-2), "muon": (3e-3, 6e-2)}
WEIGHT_DECAYS = {"adamw": (1e-3, 1e-1), "sgd": (1e-5, 1e-3), "adam": (1e-3, 1e-1), "muon": (1e-3, 1e-1)}
SEARCHED_OPTIMIZERS = ["muon", "adamw", "sgd"]


def point(
    hp: kt.HyperParameters, architecture: str, facts: DataFacts, given: dict, *, wide: bool = False
) -> dict:
    """Declare the space of `architecture` on `hp`; returns the settings that its values stand for.

    given: settings the user decided, by dotted name; they are not searched. wide: search the widths worth a
    GPU's time instead of a processor's. The result maps dotted names to values and can be laid over a
    TrainSettings with `overlay`.
    """
    if architecture not in SPACES:
        raise InputError(f"architecture {architecture!r} has no search space. There is: {', '.join(SPACES)}.")
    values = {}
    for name, declare in {**_common(hp, facts, given), **SPACES[architecture](hp, facts, wide)}.items():
        if name not in given:
            values[name] = declare()
    return values


def overlay(settings: dict, values: dict) -> dict:
    """A copy of nested `settings` with the dotted `values` put in."""
    result = {**settings, "options": dict(settings["options"])}
    for name, value in values.items():
        outer, _, inner = name.partition(".")
        if inner:
            result[outer][inner] = value
        else:
            result[name] = value
    return result


def _common(hp: kt.HyperParameters, facts: DataFacts, given: dict) -> dict[str, Callable]:
    """What every architecture has."""
    augmentation = "flip+crop" if facts.mirror else "crop"
    return {
        "activation": lambda: hp.Choice("activation", ["relu", "elu", "gelu"]),
        "kernel_initializer": lambda: hp.Choice("kernel_initializer", ["he_normal", "glorot_uniform"]),
        "normalization": lambda: hp.Choice("normalization", ["zero_mean", "zero_one", "per_image"]),
        "batch_norm": lambda: hp.Boolean("batch_norm", default=True),
        "dropout": lambda: hp.Choice("dropout", [0.0, 0.1, 0.2, 0.3]),
        "augmentation": lambda: hp.Choice("augmentation", [augmentation, "none"]),
        "batch_size": lambda: hp.Choice("batch_size", [32, 64, 128], default=64),
        "optimizer": lambda: hp.Choice("optimizer", SEARCHED_OPTIMIZERS),
        "learning_rate": lambda: _by_optimizer(hp, "learning_rate", LEARNING_RATES, given),
        "weight_decay": lambda: _by_optimizer(hp, "weight_decay", WEIGHT_DECAYS, given),
    }


def _by_optimizer(hp: kt.HyperParameters, name: str, ranges: dict, given: dict) -> float:
    """A number whose range depends on the optimizer; only the chosen optimizer's is active."""
    if "optimizer" in given:
        return _number(hp, name, ranges, given["optimizer"])
    values = {}
    for optimizer in SEARCHED_OPTIMIZERS:
        with hp.conditional_scope("optimizer", [optimizer]):
            values[optimizer] = _number(hp, name, ranges, optimizer)
    return values[hp.get("optimizer")]


def _number(hp: kt.HyperParameters, name: str, ranges: dict, optimizer: str) -> float:
    low, high = ranges[optimizer]
    middle = math.sqrt(low * high)
    return hp.Float(f"{name}_{optimizer}", low, high, sampling="log", default=middle)


def _vgg(hp: kt.HyperParameters, facts: DataFacts, wide: bool) -> dict[str, Callable]:
    """Blocks as far as the image can be halved to no less than 2 pixels."""
    widths = [32, 64, 96] if wide else [16, 24, 32]
    most = max(1, min(5, min(facts.shape[:2]).bit_length() - 2))
    return {
        "options.blocks": lambda: hp.Int("options.blocks", min(2, most), most),
        "options.convolutions": lambda: hp.Int("options.convolutions", 1, 2),
        "options.width": lambda: hp.Choice("options.width", widths),
    }


SPACES = {"vgg": _vgg}
