"""The search space: hyperparameters in, plain settings out. No Keras object, no data.

A hyperparameter has the dotted name of the setting it decides (`options.blocks`); one that exists only
under a condition also has the condition's value in it (`learning_rate_sgd`), because names must be unique.
"""

import math
from collections.abc import Callable, Sequence

import keras_tuner as kt

from keras_cnn.data.dataset import DataFacts
from keras_cnn.function_import import is_function_name
from keras_cnn.models.options import UPSAMPLINGS
from keras_cnn.task import TASKS
from keras_cnn.training.batch_size import searched_batch_sizes

# Peak rates worth trying; SGD's are the larger by about two orders (Smith 2017; Loshchilov & Hutter 2019).
LEARNING_RATES = {"adamw": (3e-4, 1e-2), "sgd": (1e-2, 3e-1), "adam": (3e-4, 1e-2), "muon": (3e-3, 6e-2)}
WEIGHT_DECAYS = {"adamw": (1e-3, 1e-1), "sgd": (1e-5, 1e-3), "adam": (1e-3, 1e-1), "muon": (1e-3, 1e-1)}
# the recipe of `TrainSettings`, with which the tuner `auto` begins; of others the middle of the range
TRAINED_WITH = {("learning_rate", "muon"): 0.02, ("weight_decay", "muon"): 0.01}
# 3,000 images of CIFAR-10 for 40 s on two cores: 2 blocks 0.603, 3 blocks 0.632, and with twice the width 0.628
DEFAULT_BLOCKS = 3
SEARCHED_OPTIMIZERS = ["muon", "adamw", "sgd"]
# defined with layer normalization, or with batch normalization, without which they hardly train
NORMALIZED = ("convnext", "resnet", "mobilenet", "efficientnet")
# what decides how the architectures here are built, and not a model of the user's own
OF_BUILDERS = ("activation", "kernel_initializer", "normalization", "batch_norm", "dropout")


def suggest(
    hp: kt.HyperParameters,
    architectures: Sequence[str],
    facts: DataFacts,
    fixed_hyperparameters: dict,
    *,
    use_gpu_widths: bool = False,
    batch_sizes: Sequence[int] = (),
) -> dict:
    """Declare the space of `architectures` on `hp`; returns the settings for its values.

    Of several, the architecture is a hyperparameter itself and each has its options under the condition of being it.
    given: settings the user decided, by dotted name; they are not searched. wide: search the widths worth a GPU's time
    instead of a processor's. batch_sizes: to choose from, rising; those that suit the number of images if not given.
    The result maps dotted names to values, to be laid over a TrainSettings with `overlay`.
    """
    values = {}
    sizes = batch_sizes or searched_batch_sizes(facts)
    skipped = OF_BUILDERS if any(map(is_function_name, architectures)) else ()
    for name, declare in _common(hp, architectures, facts, fixed_hyperparameters, sizes).items():
        if name not in fixed_hyperparameters and name not in skipped:
            values[name] = declare()
    if len(architectures) > 1:
        return values | _one_of(hp, architectures, facts, use_gpu_widths)
    for name, declare in OPTIONS.get(architectures[0], _nothing)(
        hp, facts, use_gpu_widths, "options"
    ).items():
        if f"options.{name}" not in fixed_hyperparameters:
            values[f"options.{name}"] = declare()
    return values


def _one_of(
    hp: kt.HyperParameters, architectures: Sequence[str], facts: DataFacts, use_gpu_widths: bool
) -> dict:
    """The architecture as a choice, and the options of the chosen one; hyperparameters are named `vgg.blocks`."""
    chosen = hp.Choice("architecture", list(architectures))
    values = {}
    for architecture in architectures:
        with hp.conditional_scope("architecture", [architecture]):
            declared = OPTIONS.get(architecture, _nothing)(hp, facts, use_gpu_widths, architecture)
            values[architecture] = {f"options.{name}": declare() for name, declare in declared.items()}
    return {"architecture": chosen, **values[chosen]}


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


def _common(
    hp: kt.HyperParameters,
    architectures: Sequence[str],
    facts: DataFacts,
    fixed_hyperparameters: dict,
    batch_sizes: Sequence[int],
) -> dict[str, Callable]:
    """What every architecture has."""
    masks = TASKS[facts.task].unit == "pixels"
    augmentation = "flip+rotate90" if masks else "flip+crop" if facts.flip_invariant else "crop"
    settled = all(name.startswith(NORMALIZED) for name in architectures)
    batch_norm = {} if settled else {"batch_norm": lambda: hp.Boolean("batch_norm", default=True)}
    # by default the loss of masks is one of single pixels; the other counts small classes as much as large ones
    moves = (
        {}
        if TASKS[facts.task].flip_invariant is False
        else {  # values may depend on the place
            "augmentation": lambda: hp.Choice("augmentation", [augmentation, "none"])
        }
    )
    loss = {"loss": lambda: hp.Choice("loss", ["cross_entropy", "cross_entropy+dice"])} if masks else {}
    return {
        **batch_norm,
        **loss,
        "activation": lambda: hp.Choice("activation", ["relu", "elu", "gelu"]),
        "kernel_initializer": lambda: hp.Choice("kernel_initializer", ["he_normal", "glorot_uniform"]),
        "normalization": lambda: hp.Choice("normalization", ["zero_mean", "zero_one", "per_image"]),
        "dropout": lambda: hp.Choice("dropout", [0.0, 0.1, 0.2, 0.3]),
        **moves,
        "batch_size": lambda: hp.Choice("batch_size", list(batch_sizes), default=batch_sizes[-2:][0]),
        "optimizer": lambda: hp.Choice("optimizer", SEARCHED_OPTIMIZERS),
        "learning_rate": lambda: _by_optimizer(hp, "learning_rate", LEARNING_RATES, fixed_hyperparameters),
        "weight_decay": lambda: _by_optimizer(hp, "weight_decay", WEIGHT_DECAYS, fixed_hyperparameters),
    }


def _by_optimizer(hp: kt.HyperParameters, name: str, ranges: dict, fixed_hyperparameters: dict) -> float:
    """A number whose range depends on the optimizer; only the chosen optimizer's is active."""
    if "optimizer" in fixed_hyperparameters:
        return _number(hp, name, ranges, fixed_hyperparameters["optimizer"])
    values = {}
    for optimizer in SEARCHED_OPTIMIZERS:
        with hp.conditional_scope("optimizer", [optimizer]):
            values[optimizer] = _number(hp, name, ranges, optimizer)
    return values[hp.get("optimizer")]


def _number(hp: kt.HyperParameters, name: str, ranges: dict, optimizer: str) -> float:
    low, high = ranges[optimizer]
    default = TRAINED_WITH.get((name, optimizer), math.sqrt(low * high))
    return hp.Float(f"{name}_{optimizer}", low, high, sampling="log", default=default)


def _nothing(
    hp: kt.HyperParameters, facts: DataFacts, use_gpu_widths: bool, prefix: str
) -> dict[str, Callable]:
    """Published nets have no options worth searching."""
    return {}


def _vgg(hp: kt.HyperParameters, facts: DataFacts, use_gpu_widths: bool, prefix: str) -> dict[str, Callable]:
    """Blocks as far as the image can be halved to no less than 2 pixels."""
    widths = [32, 64, 96] if use_gpu_widths else [16, 24, 32]
    most = max(1, min(5, min(facts.shape[:2]).bit_length() - 2))
    return {
        "blocks": lambda: hp.Int(f"{prefix}.blocks", min(2, most), most, default=min(DEFAULT_BLOCKS, most)),
        "convolutions": lambda: hp.Int(f"{prefix}.convolutions", 1, 2),
        "width": lambda: hp.Choice(f"{prefix}.width", widths),
    }


def _convnext(
    hp: kt.HyperParameters, facts: DataFacts, use_gpu_widths: bool, prefix: str
) -> dict[str, Callable]:
    """Stages as far as the image can be halved after the coarsest stem, which leaves 8 pixels or more."""
    side = min(facts.shape[:2])
    patches = [patch for patch in (1, 2, 4) if patch <= max(1, side // 8)]
    most = max(1, min(4, (side // patches[-1]).bit_length()))
    return {
        "stages": lambda: hp.Int(f"{prefix}.stages", min(2, most), most),
        "depth": lambda: hp.Int(f"{prefix}.depth", 1, 3),
        "width": lambda: hp.Choice(f"{prefix}.width", [48, 64, 96] if use_gpu_widths else [16, 24, 32]),
        "patch_size": lambda: hp.Choice(f"{prefix}.patch_size", patches),
        "drop_path_rate": lambda: hp.Choice(f"{prefix}.drop_path_rate", [0.0, 0.1, 0.2]),
    }


def _resnet(
    hp: kt.HyperParameters, facts: DataFacts, use_gpu_widths: bool, prefix: str
) -> dict[str, Callable]:
    """Stages as far as the image can be halved to no less than 4 pixels."""
    most = max(1, min(4, (min(facts.shape[:2]) // 4).bit_length()))
    return {
        "stages": lambda: hp.Int(f"{prefix}.stages", min(2, most), most),
        "depth": lambda: hp.Int(f"{prefix}.depth", 1, 3),
        "width": lambda: hp.Choice(f"{prefix}.width", [32, 64, 96] if use_gpu_widths else [16, 24, 32]),
    }


def _mobilenet(
    hp: kt.HyperParameters, facts: DataFacts, use_gpu_widths: bool, prefix: str
) -> dict[str, Callable]:
    """The widths of table 6 of the paper."""
    return {"alpha": lambda: hp.Choice(f"{prefix}.alpha", [0.35, 0.5, 0.75, 1.0])}


def _mlp(hp: kt.HyperParameters, facts: DataFacts, use_gpu_widths: bool, prefix: str) -> dict[str, Callable]:
    def dense() -> list[int]:
        layers, width = hp.Int(f"{prefix}.layers", 1, 3), hp.Choice(f"{prefix}.width", [128, 256, 512])
        return [width] * (layers or 0)  # None while another architecture is chosen

    return {"dense": dense}


def _unet(hp: kt.HyperParameters, facts: DataFacts, use_gpu_widths: bool, prefix: str) -> dict[str, Callable]:
    """Pools as far as the image can be halved evenly to no less than 4 pixels."""
    sides = facts.shape[:2]
    most = max(
        [d for d in range(1, 6) if all(side % 2**d == 0 and side >> d >= 4 for side in sides)], default=1
    )
    return {
        "depth": lambda: hp.Int(f"{prefix}.depth", min(2, most), most),
        "width": lambda: hp.Choice(f"{prefix}.width", [16, 32, 64] if use_gpu_widths else [8, 16, 24]),
        "upsampling": lambda: hp.Choice(f"{prefix}.upsampling", list(UPSAMPLINGS)),
    }


OPTIONS = {  # the others have none to search
    "vgg": _vgg,
    "convnext": _convnext,
    "resnet": _resnet,
    "mobilenet_v2": _mobilenet,
    "mlp": _mlp,
    "unet": _unet,
}
