"""What training optimizes: loss, metrics, optimizer and its schedule."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_cnn.task import CLASSIFICATION, MULTI_LABEL, REGRESSION, SEGMENTATION, Task
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.metrics import SegmentationScores
from keras_cnn.training.muon import Muon

MOMENTUM = 0.9


def cross_entropy(y_true, y_pred):
    """Cross-entropy in nats (B,), or (B, H, W) of masks. y_true: classes (B,), or distributions (B, classes) as
    smoothing and mixing make them; those are the input pipeline's, so the validation loss is always that of the plain
    classes."""
    if len(y_true.shape) == len(y_pred.shape):
        return keras.losses.categorical_crossentropy(y_true, y_pred)
    return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)


def dice(y_true, y_pred):
    """1 - 2 |A B| / (|A| + |B|) of masks (B, H, W) and probabilities (B, H, W, classes), the mean over classes; (B,).

    A and B are sums of probabilities over all pixels of an image (Milletari et al. 2016, arXiv:1606.04797, section 3,
    without their squares). Large and small classes have the same weight.
    """
    if len(y_true.shape) < len(y_pred.shape):
        y_true = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
    return ops.mean(keras.losses.dice(y_true, y_pred, axis=(1, 2)), axis=-1)


def cross_entropy_and_dice(y_true, y_pred):
    """The sum of both, (B,) (as nnU-Net's: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z)."""
    return ops.mean(cross_entropy(y_true, y_pred), axis=(1, 2)) + dice(y_true, y_pred)


def binary_cross_entropy(y_true, y_pred):
    """Cross-entropy in nats of each label by itself, the mean over labels, (B,). Both (B, K), y_true 0 or 1, or shares
    of such."""
    return keras.losses.binary_crossentropy(y_true, y_pred)


def mean_squared_error(y_true, y_pred):
    """The mean over values, (B,), in squared units of the labels. Both (B, K)."""
    return keras.losses.mean_squared_error(y_true, y_pred)


# functions of this module, by which a model that is compiled here is distinguished from one that came compiled
LOSS_FUNCTIONS = {
    "cross_entropy": cross_entropy,
    "dice": dice,
    "cross_entropy+dice": cross_entropy_and_dice,
    "binary_cross_entropy": binary_cross_entropy,
    "mean_squared_error": mean_squared_error,
}


def accuracy(y_true, y_pred):
    """1 where the most probable class is the true one, or the largest of a distribution; (B,), or (B, H, W)."""
    if len(y_true.shape) == len(y_pred.shape):
        y_true = ops.argmax(y_true, axis=-1)
    return ops.cast(
        ops.equal(ops.cast(y_true, "int32"), ops.cast(ops.argmax(y_pred, axis=-1), "int32")), "float32"
    )


def loss_of(settings: TrainSettings, task: Task) -> Callable:
    """The loss of `settings`, or the usual one of the task."""
    return LOSS_FUNCTIONS[settings.loss or task.losses[0]]


def metrics_of(task: Task, classes: Sequence[str]) -> list[keras.metrics.Metric]:
    """Those that `task.metrics` names; of masks also IoU and Dice of each of the `classes`."""
    if task == MULTI_LABEL:
        auc = keras.metrics.AUC(curve="PR", multi_label=True, num_labels=len(classes), name="pr_auc")
        return [auc, keras.metrics.BinaryAccuracy(name="binary_accuracy")]
    if task == REGRESSION:
        return [
            keras.metrics.MeanAbsoluteError(name="mae"),
            keras.metrics.RootMeanSquaredError(name="rmse"),
        ]
    shared = keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")
    return [shared, SegmentationScores(classes)] if task == SEGMENTATION else [shared]


def compile_model(
    model: keras.Model,
    settings: TrainSettings,
    steps_per_epoch: int,
    task: Task = CLASSIFICATION,
    classes: Sequence[str] = (),
) -> None:
    """Compile `model` for a `task` with these `classes`; call it in the strategy's scope.

    Variables of metrics and optimizer are made here: TensorFlow traces a training step that makes variables twice.
    """
    model.compile(
        optimizer=make_optimizer(settings, learning_rate(settings, settings.epochs * steps_per_epoch)),
        loss=loss_of(settings, task),
        metrics=metrics_of(task, classes),
        steps_per_execution=_steps_per_execution(steps_per_epoch),
    )
    model.optimizer.build(model.trainable_variables)


def make_optimizer(settings: TrainSettings, rate) -> keras.optimizers.Optimizer:
    """The optimizer of `settings` at `rate`, a number or a schedule; biases and normalization do not decay."""
    common = {
        "learning_rate": rate,
        "weight_decay": settings.weight_decay,
        "global_clipnorm": settings.global_clipnorm,
        "use_ema": settings.ema_momentum is not None,
        "ema_momentum": settings.ema_momentum or 0.99,
    }
    optimizer = {
        "sgd": lambda: keras.optimizers.SGD(momentum=MOMENTUM, nesterov=True, **common),
        "adam": lambda: keras.optimizers.Adam(**common),
        "adamw": lambda: keras.optimizers.AdamW(**common),
        "muon": lambda: Muon(
            exclude_layers=["predictions"], adam_weight_decay=settings.weight_decay, **common
        ),
    }[settings.optimizer]()
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def learning_rate(settings: TrainSettings, steps: int):
    """The rate, or its schedule over a run of `steps` steps."""
    peak = settings.learning_rate
    if settings.schedule == "cosine":
        return _warmed_up_cosine(peak, steps, warm_up=0.1, start=0.0)
    if settings.schedule == "one_cycle":
        return _warmed_up_cosine(peak, steps, warm_up=0.3, start=peak / 25)
    if settings.schedule == "step":
        boundaries = [steps // 2, max(steps * 3 // 4, steps // 2 + 1)]
        return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, [peak, peak / 10, peak / 100])
    return peak


def _warmed_up_cosine(peak: float, steps: int, warm_up: float, start: float):
    """Linear from `start` (not reached: the first step is one step above) to `peak`, then a cosine to 0."""
    first = max(1, round(warm_up * steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=start + (peak - start) / first,
        decay_steps=max(1, steps - first),
        warmup_target=peak,
        warmup_steps=first,
    )


def _steps_per_execution(steps_per_epoch: int) -> int:
    """The largest divisor up to 8: with one iterator over all epochs, an execution must not cross an epoch."""
    return max(count for count in range(1, 9) if steps_per_epoch % count == 0)
