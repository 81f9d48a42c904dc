"""TrainSettings: one training run as flat, plain data; the options of every command that trains."""

import dataclasses
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from keras_cnn.data.dataset import DataFacts
from keras_cnn.errors import InputError, unknown_name
from keras_cnn.models.registry import check_options, check_task
from keras_cnn.models.spec import NORMALIZATIONS, PRECISIONS, ModelSpec
from keras_cnn.task import LOSSES, TASKS
from keras_cnn.training.batch_size import default_batch_size
from keras_cnn.training.class_weights import check_class_weight
from keras_cnn.training.tasks import check_for_task

OPTIMIZERS = ("sgd", "adam", "adamw", "muon")
FREEZES = ("none", "body")
SCHEDULES = ("constant", "cosine", "one_cycle", "step")
MOST = 2**32 - 1  # of a whole number; NumPy takes no larger seed


@dataclass(frozen=True)
class TrainSettings:
    """Everything that determines a training run but the machine it runs on.

    Args:
        data: digits, folder:PATH, the name of a TFDS image classification set (cifar10, mnist, ...), pairs:PATH of
            images with masks, or MODULE:FUNCTION that returns arrays (x, y) or what else keras_cnn.load takes.
        image_size: height and width to resize every image to; the images' own size if not given.
        crop_size: of images with masks, height and width of the windows the net sees: random ones to train on,
            overlapping ones to predict; whole images if not given.
        validation_split: part of the training images held out to validate on, stratified, in (0, 1).
        split_seed: which images are held out.
        task: of arrays and MODULE:FUNCTION: classification, segmentation, multi_label (labels are rows of 0 and 1) or
            regression (labels are values); found in the labels if not given.
        architecture: its name: vgg, convnext and resnet (tunable), mlp, lenet5, alexnet, vgg11 to vgg19, convnext_tiny
            to convnext_xlarge, resnet20_cifar, resnet18 to resnet50, mobilenet_v2, efficientnet_b0; unet and unet_paper
            for masks; `describe --counts` lists them. Or MODULE:FUNCTION, which returns a keras.Model for
            (input_shape, classes, **options).
        options: the architecture's own options, as in --options.blocks 3.
        activation: a Keras activation, for every hidden layer.
        kernel_initializer: a Keras initializer, for every hidden layer: he_normal, glorot_uniform, ...
        normalization: of the pixels: none, zero_one, minus_one_one, zero_mean or per_image.
        batch_norm: batch normalization between each hidden layer and its activation.
        synchronized: batch normalization over the global batch instead of each replica's own.
        weights: file with ImageNet weights of keras.applications (.h5, .weights.h5), for vgg16, vgg19, convnext_*,
            resnet50, mobilenet_v2 and efficientnet_b0; they bring their own normalization. Layers that do not fit, such
            as the last, are new.
        freeze: body: train only what follows the last convolution; or none.
        dropout: rate after every block and hidden dense layer, in [0, 1).
        precision: float32, mixed_bfloat16, mixed_float16, or auto: what this hardware is fast at.
        loss: cross_entropy; of masks also dice, or cross_entropy+dice, the sum of both; of multi_label
            binary_cross_entropy, of regression mean_squared_error. The task's first if not given.
        optimizer: sgd (Nesterov momentum 0.9), adam, adamw or muon (on kernels; the rest as adamw).
        learning_rate: the peak rate of the schedule.
        schedule: constant; cosine: up to the peak in the first tenth of the steps, then down to 0; one_cycle: from 1/25
            of the peak up in the first three tenths, then down to 0; step: a tenth after half of the steps and again
            after three quarters.
        weight_decay: decoupled, on kernels only.
        global_clipnorm: the norm to which the gradient of all weights together is cut; not cut if not given.
        ema_momentum: validate and keep an exponential moving average of the weights with this momentum, in (0, 1);
            usual: 0.99 to 0.9999; the weights themselves if not given.
        label_smoothing: share of each training label spread evenly over all classes, in [0, 1); if not given 0.1, for
            other than single labels 0.
        class_weight: of each class in the loss: none; balanced: images / (classes x images of the class); or numbers
            in the order of the classes, as in 1,1,2.5.
        balanced: draw every class equally often instead of every image once an epoch.
        patience: end after so many epochs without a better value of the objective; never early if not given.
        batch_size: images (windows, with masks) per replica and step; the global batch is batch_size x replicas. If not
            given, 128, with masks 4, or less where an epoch would have fewer than 10 steps.
        epochs: passes over the training images.
        augmentation: auto: flip, unless the images are digits or letters; none; or names joined by +, as in
            flip+crop+cutout. There are flip, crop, rotate (up to 15 degrees), rotate90 (quarter turns), cutout, color,
            and, not with masks, randaugment, mixup and cutmix.
        seed: of weights, shuffling, dropout and augmentation.
        objective: validation metric whose best epoch is kept; if not given val_accuracy, of masks val_mean_iou, of
            multi_label val_pr_auc, of regression val_mae, or val_loss where a compiled model has none of these.
    """

    data: str = "digits"
    image_size: tuple[int, int] | None = None
    crop_size: tuple[int, int] | None = None
    validation_split: float = 0.1
    split_seed: int = 0
    task: str | None = None
    architecture: str = "vgg"
    options: dict[str, Any] = field(default_factory=dict)
    activation: str = "relu"
    kernel_initializer: str = "he_normal"
    normalization: str = "zero_mean"
    batch_norm: bool = True
    synchronized: bool = False
    dropout: float = 0.0
    weights: str | None = None
    freeze: str = "none"
    precision: str = "auto"
    loss: str | None = None
    optimizer: str = "muon"
    learning_rate: float = 0.02
    schedule: str = "one_cycle"
    weight_decay: float = 0.01
    global_clipnorm: float | None = None
    ema_momentum: float | None = None
    label_smoothing: float | None = None
    class_weight: str = "none"
    balanced: bool = False
    patience: int | None = None
    batch_size: int | None = None
    epochs: int = 10
    augmentation: str = "auto"
    seed: int = 0
    objective: str | None = None

    def __post_init__(self) -> None:
        for kind, value, allowed in (
            ("normalization", self.normalization, NORMALIZATIONS),
            ("precision", self.precision, (*PRECISIONS, "auto")),
            ("loss", self.loss, (None, *LOSSES)),
            ("task", self.task, (None, *TASKS)),
            ("optimizer", self.optimizer, OPTIMIZERS),
            ("schedule", self.schedule, SCHEDULES),
            ("freeze", self.freeze, FREEZES),
        ):
            if value not in allowed:
                raise unknown_name(kind, value, filter(None, allowed))
        for name, low in (
            ("batch_size", 1),
            ("epochs", 1),
            ("seed", 0),
            ("split_seed", 0),
            ("weight_decay", 0),
        ):
            value = getattr(self, name)
            if value is not None and value < low:
                raise InputError(f"{name}={value} must be at least {low}.")
            if value is not None and value > MOST:
                raise InputError(f"{name}={value} must be at most {MOST}.")
        if self.crop_size is not None and (len(self.crop_size) != 2 or min(self.crop_size) < 1):
            raise InputError(f"crop_size={self.crop_size} must be height and width, each at least 1.")
        for name in ("learning_rate", "global_clipnorm", "patience"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name}={value} must be above 0.")
        check_class_weight(self.class_weight)
        if self.ema_momentum is not None and not 0 < self.ema_momentum < 1:
            raise InputError(f"ema_momentum={self.ema_momentum} is outside (0, 1). Usual: 0.99 to 0.9999.")
        for name in ("dropout", "label_smoothing"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise InputError(f"{name}={value} is outside [0, 1).")

    def check_names(self) -> None:
        """Check what needs TensorFlow to know: architecture, its options, activation, initializer, augmentation."""
        from keras_cnn.data.augmentation.augment import parse_augmentation
        from keras_cnn.models.build import check_style
        from keras_cnn.models.own import is_own

        if is_own(self.architecture):
            if self.augmentation != "auto":
                parse_augmentation(self.augmentation)
            return
        check_options(self.architecture, self.options)
        if self.weights is not None:
            self._check_weights()
        check_style(self.activation, self.kernel_initializer)
        if self.augmentation != "auto":
            parse_augmentation(self.augmentation)

    def _check_weights(self) -> None:
        from keras_cnn.models.pretrained import check_weights
        from keras_cnn.models.references import check_layers, reference

        reference(self.architecture)
        check_weights(Path(self.weights or ""))
        if self.normalization != "zero_mean":
            raise InputError(
                f"normalization={self.normalization!r}: weights bring their own, leave it at zero_mean."
            )
        check_layers(self.architecture, self.activation, self.batch_norm)

    def resolved(self, facts: DataFacts, replicas: int = 1) -> "TrainSettings":
        """The settings with `auto` and None replaced by their values for this machine and data.

        replicas: devices that will share a step. InputError for settings that mean nothing for the data's task.
        """
        from keras_cnn.training.precision import fastest_precision

        precision = fastest_precision() if self.precision == "auto" else self.precision
        augmentation = (
            ("flip" if facts.flip_invariant else "none") if self.augmentation == "auto" else self.augmentation
        )
        defaults: dict[str, Any] = {
            "batch_size": default_batch_size(self.input_facts(facts), replicas),
            "label_smoothing": TASKS[facts.task].label_smoothing,
            "loss": TASKS[facts.task].losses[0],
        }
        values = {name: default for name, default in defaults.items() if getattr(self, name) is None}
        settings = replace(self, precision=precision, augmentation=augmentation, **values)
        check_for_task(settings, facts)
        return settings

    def load_arguments(self) -> dict:
        """The arguments of `data.sources.load`."""
        names = ("image_size", "validation_split", "split_seed", "task")
        return {"data": self.data} | {name: getattr(self, name) for name in names}

    def input_shape(self, facts: DataFacts) -> tuple[int, int, int]:
        """(H, W, C) of what the net sees: whole images, or windows of `crop_size`."""
        height, width = self.crop_size or facts.shape[:2]
        return height, width, facts.shape[2]

    def input_facts(self, facts: DataFacts) -> DataFacts:
        """`facts` with the shape of what the net sees; of windows, their number is that of the images then."""
        return replace(facts, shape=self.input_shape(facts))

    def model_spec(self, facts: DataFacts) -> ModelSpec:
        """The model for data of these `facts`; InputError if the architecture is for another task."""
        check_task(self.architecture, facts.task, facts.name)
        names = (
            "architecture options activation kernel_initializer normalization "
            "batch_norm synchronized dropout precision"
        )
        mean, variance = facts.mean, facts.variance
        if self.weights is not None:
            from keras_cnn.models.references import statistics

            mean, variance = statistics(self.architecture, facts.value_range)
        return ModelSpec(
            input_shape=self.input_shape(facts),
            classes=len(facts.classes),
            mean=mean,
            variance=variance,
            value_range=facts.value_range,
            **{name: getattr(self, name) for name in names.split()},
        )

    def to_dict(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "TrainSettings":
        """The settings in `values`, as `to_dict` gives them; format version 1 spells color `colour`."""
        names = [f.name for f in dataclasses.fields(cls)]
        for name in values:
            if name not in names:
                raise unknown_name("setting", name, names)
        sizes = {name: tuple(values[name]) for name in ("image_size", "crop_size") if values.get(name)}
        augmentation = values.get("augmentation", cls.augmentation).replace("colour", "color")
        return cls(**{**values, **sizes, "augmentation": augmentation})
