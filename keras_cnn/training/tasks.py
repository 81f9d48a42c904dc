"""Settings that mean nothing for the task of the data, and which values of a metric are the best."""

from typing import Protocol

from keras_cnn.data.dataset import DataFacts
from keras_cnn.errors import InputError
from keras_cnn.task import REGRESSION, SEGMENTATION, TASKS

# in the name of a metric
LOWER_IS_BETTER = ("loss", "error", "entropy", "mse", "mae", "mape", "msle", "cosh")
# a setting -> why it means nothing for rows of labels
NOT_FOR_ROWS = {
    "label_smoothing": "it spreads a label over classes, of which an image has one",
    "class_weight": "it weighs images by their class; weigh labels in the loss of a compiled model",
    "balanced": "it draws images by their class",
}
UNSET = (None, 0.0, "none", False)


class TaskSettings(Protocol):
    """What of the settings of a run depends on the task."""

    @property
    def crop_size(self) -> tuple[int, int] | None: ...

    @property
    def loss(self) -> str | None: ...

    @property
    def label_smoothing(self) -> float | None: ...

    @property
    def balanced(self) -> bool: ...

    @property
    def class_weight(self) -> str: ...

    @property
    def augmentation(self) -> str: ...


def lower_is_better(metric: str) -> bool:
    """Whether the lowest value of a metric is the best, by its name."""
    return any(part in metric.lower() for part in LOWER_IS_BETTER)


def sign_of(metric: str) -> int:
    """1 where the highest value of a metric is the best, -1 where the lowest is; so sign * value is to be maximized."""
    return -1 if lower_is_better(metric) else 1


def check_for_task(settings: TaskSettings, facts: DataFacts) -> None:
    """Raise InputError for settings that mean nothing for the task or the channels of the data."""
    from keras_cnn.data.augmentation.augment import check_channels, parse_augmentation

    check_channels(parse_augmentation(settings.augmentation), facts.shape[2])
    task = TASKS[facts.task]
    wrong = _for_masks(settings) if task == SEGMENTATION else _for_images(settings)
    if not task.class_ids:
        wrong |= {name: why for name, why in NOT_FOR_ROWS.items() if getattr(settings, name) not in UNSET}
    if task == REGRESSION and _mixes(settings):
        wrong["augmentation"] = "mixup and cutmix mix labels, which makes values of images that there are not"
    if settings.loss not in task.losses:
        wrong["loss"] = f"allowed: {', '.join(task.losses)}; a compiled model brings any other"
    for name, advice in wrong.items():
        raise InputError(
            f"{name}={getattr(settings, name)!r} does not go with {facts.task} ({facts.name}): {advice}."
        )


def check_has_classes(facts: DataFacts, what: str) -> None:
    """Raise InputError for data without a class for every image or pixel, which `what` needs."""
    if not TASKS[facts.task].class_ids:
        raise InputError(f"{what} needs a class for every image or pixel; {facts.name} is for {facts.task}.")


def _mixes(settings: TaskSettings) -> bool:
    from keras_cnn.data.augmentation.augment import parse_augmentation
    from keras_cnn.data.augmentation.mix import MIXES

    return bool(set(parse_augmentation(settings.augmentation)) & set(MIXES))


def _for_images(settings: TaskSettings) -> dict[str, str]:
    advice = "take --image_size, and --augmentation crop for random parts"
    return {} if settings.crop_size is None else {"crop_size": advice}


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
