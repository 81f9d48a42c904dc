"""What training optimizes and what trials are ranked by: loss, metrics, optimizer and its schedule."""

import keras
from keras import ops

from keras_cnn.training.muon import Muon
from keras_cnn.training.settings import TrainSettings

OBJECTIVE = "val_accuracy"
DIRECTION = "max"
MOMENTUM = 0.9


def cross_entropy(y_true, y_pred):
    """Cross-entropy in nats (B,). y_true: classes (B,), or distributions (B, classes) as smoothing and mixing
    make them; those are the input pipeline's, so the validation loss is always that of the plain classes."""
    if len(y_true.shape) == len(y_pred.shape):
        return keras.losses.categorical_crossentropy(y_true, y_pred)
    return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)


def accuracy(y_true, y_pred):
    """1 where the most probable class is the true one, or the largest of a distribution; (B,)."""
    if len(y_true.shape) == len(y_pred.shape):
        y_true = ops.argmax(y_true, axis=-1)
    return ops.cast(
        ops.equal(ops.cast(y_true, "int32"), ops.cast(ops.argmax(y_pred, axis=-1), "int32")), "float32"
    )


def compile_model(model: keras.Model, settings: TrainSettings, steps_per_epoch: int) -> None:
    """Compile `model` for classification; call it in the strategy's scope."""
    model.compile(
        optimizer=make_optimizer(settings, learning_rate(settings, settings.epochs * steps_per_epoch)),
        loss=cross_entropy,
        metrics=[accuracy],
        steps_per_execution=_steps_per_execution(steps_per_epoch),
    )


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
