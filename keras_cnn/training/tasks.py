"""Settings that mean nothing for the task of the data, and which values of a metric are the best."""

from typing import Protocol

from keras_cnn.data.dataset import DataFacts
from keras_cnn.errors import InputError

LOWER_IS_BETTER = ("loss", "error", "entropy", "mse", "mae")  # in the name of a metric


class TaskSettings(Protocol):
    """What of the settings of a run depends on the task."""

    @property
    def crop_size(self) -> tuple[int, int] | None: ...

    @property
    def loss(self) -> str: ...

    @property
    def balanced(self) -> bool: ...

    @property
    def class_weight(self) -> str: ...

    @property
    def augmentation(self) -> str: ...


def lower_is_better(metric: str) -> bool:
    """Whether the lowest value of a metric is the best, by its name."""
    return any(part in metric for part in LOWER_IS_BETTER)


def sign_of(metric: str) -> int:
    """1 where the highest value of a metric is the best, -1 where the lowest is; so sign * value is to be maximized."""
    return -1 if lower_is_better(metric) else 1


def check_for_task(settings: TaskSettings, facts: DataFacts) -> None:
    """Raise InputError for settings that mean nothing for the task or the channels of the data."""
    from keras_cnn.data.augmentation.augment import check_channels, parse_augmentation

    check_channels(parse_augmentation(settings.augmentation), facts.shape[2])
    wrong = _for_masks(settings) if facts.task == "segmentation" else _for_images(settings)
    for name, advice in wrong.items():
        raise InputError(
            f"{name}={getattr(settings, name)!r} does not go with {facts.task} ({facts.name}): {advice}."
        )


def _for_images(settings: TaskSettings) -> dict[str, str]:
    wrong = {}
    if settings.crop_size is not None:
        wrong["crop_size"] = "take --image_size, and --augmentation crop for random parts"
    if settings.loss != "cross_entropy":
        wrong["loss"] = "the loss of single labels is cross_entropy"
    return wrong


def _for_masks(settings: TaskSettings) -> dict[str, str]:
    from keras_cnn.data.augmentation.augment import check_for_masks, parse_augmentation

    check_for_masks(parse_augmentation(settings.augmentation))
    wrong = {}
    if settings.balanced:
        wrong["balanced"] = "every image holds several classes; weigh them with --class_weight balanced"
    if settings.class_weight != "none" and settings.loss != "cross_entropy":
        wrong["class_weight"] = (
            "it weighs the pixels of --loss cross_entropy; Dice already gives all classes the same weight"
        )
    return wrong
