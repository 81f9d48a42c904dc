"""ARCHITECTURES: every architecture by name, one line each. Modules are imported when they are first used."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

from keras_cnn.errors import InputError, unknown_name
from keras_cnn.models.options import ALLOWED
from keras_cnn.task import TASKS


@dataclass(frozen=True)
class Architecture:
    """`module`.`function`(x, classes=..., style=..., **options) -> logits, with some arguments `fixed`.

    task: classification, (B, classes) logits, or segmentation, (B, H', W', classes).
    """

    module: str
    function: str
    fixed: dict = field(default_factory=dict)
    task: str = "classification"

    def load(self) -> Callable:
        return getattr(importlib.import_module(f"keras_cnn.models.{self.module}"), self.function)

    def options(self) -> dict:
        """Name -> default of the architecture's own keyword arguments."""
        parameters = inspect.signature(self.load()).parameters.values()
        taken = {"classes", "style", *self.fixed}
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in taken}


ARCHITECTURES = {
    "mlp": Architecture("mlp", "mlp"),
    "lenet5": Architecture("lenet", "lenet5"),
    "alexnet": Architecture("alexnet", "alexnet", {"variant": "alexnet"}),
    "alexnet_ungrouped": Architecture("alexnet", "alexnet", {"variant": "alexnet_ungrouped"}),
    "alexnet_torchvision": Architecture("alexnet", "alexnet", {"variant": "alexnet_torchvision"}),
    "vgg": Architecture("vgg", "vgg"),
    "vgg11": Architecture("vgg", "published_vgg", {"variant": "vgg11"}),
    "vgg13": Architecture("vgg", "published_vgg", {"variant": "vgg13"}),
    "vgg16_c": Architecture("vgg", "published_vgg", {"variant": "vgg16_c"}),
    "vgg16": Architecture("vgg", "published_vgg", {"variant": "vgg16"}),
    "vgg19": Architecture("vgg", "published_vgg", {"variant": "vgg19"}),
    "convnext": Architecture("convnext", "convnext"),
    "convnext_tiny": Architecture("convnext", "published_convnext", {"variant": "convnext_tiny"}),
    "convnext_small": Architecture("convnext", "published_convnext", {"variant": "convnext_small"}),
    "convnext_base": Architecture("convnext", "published_convnext", {"variant": "convnext_base"}),
    "convnext_large": Architecture("convnext", "published_convnext", {"variant": "convnext_large"}),
    "convnext_xlarge": Architecture("convnext", "published_convnext", {"variant": "convnext_xlarge"}),
    "resnet": Architecture("resnet", "resnet"),
    "resnet20_cifar": Architecture("resnet", "resnet", {"stages": 3, "depth": 3, "width": 16, "growth": 2.0}),
    "resnet18": Architecture("resnet", "published_resnet", {"variant": "resnet18"}),
    "resnet34": Architecture("resnet", "published_resnet", {"variant": "resnet34"}),
    "resnet50": Architecture("resnet", "published_resnet", {"variant": "resnet50"}),
    "mobilenet_v2": Architecture("mobilenet", "mobilenet_v2"),
    "efficientnet_b0": Architecture("efficientnet", "efficientnet_b0"),
    "unet": Architecture("unet", "unet", task="segmentation"),
    "unet_paper": Architecture("unet", "unet_paper", task="segmentation"),
}


def get_architecture(name: str) -> Architecture:
    """The architecture of that name; InputError lists what there is."""
    if name not in ARCHITECTURES:
        raise unknown_name("architecture", name, ARCHITECTURES)
    return ARCHITECTURES[name]


def check_task(name: str, task: str, data: str) -> None:
    """Raise InputError where the architecture is for another task than the data set `data`."""
    if get_architecture(name).task != task and not TASKS[task].class_ids:
        raise InputError(
            f"architecture {name!r} is for {get_architecture(name).task}, but {data} is for {task}, for which there is "
            "none: bring a keras.Model or MODULE:FUNCTION of your own."
        )
    if get_architecture(name).task != task:
        fitting = [other for other, line in ARCHITECTURES.items() if line.task == task]
        raise InputError(
            f"architecture {name!r} is for {get_architecture(name).task}, but {data} is for {task}. "
            f"Take one of: {', '.join(fitting)}."
        )


def describe_options(name: str) -> dict[str, dict]:
    """Option -> its `default`, and the values `allowed`, in words."""
    options = get_architecture(name).options()
    return {key: {"default": value, "allowed": ALLOWED[key].text} for key, value in options.items()}


def check_options(name: str, options: dict) -> None:
    """Raise InputError for an option that the architecture does not have, or a value outside what it allows."""
    defaults = get_architecture(name).options()
    for key, value in options.items():
        if key not in defaults:
            raise unknown_name(f"option of {name}", key, defaults)
        if not ALLOWED[key].contains(value):
            raise InputError(
                f"option {key}={value!r} of {name} must be {ALLOWED[key].text}; its default is {defaults[key]!r}."
            )
