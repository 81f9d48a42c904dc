"""What training optimizes and what trials are ranked by: loss, metrics, optimizer and its schedule."""

import keras

from keras_cnn.training.settings import TrainSettings

OBJECTIVE = "val_accuracy"
DIRECTION = "max"
MOMENTUM = 0.9
WARM_UP = 0.1


def compile_model(model: keras.Model, settings: TrainSettings, steps_per_epoch: int) -> None:
    """Compile `model` for classification; call it in the strategy's scope."""
    model.compile(
        optimizer=make_optimizer(settings, settings.epochs * steps_per_epoch),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=_steps_per_execution(steps_per_epoch),
    )


def make_optimizer(settings: TrainSettings, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer of `settings` for a run of `steps` steps; biases and normalization do not decay."""
    common = {
        "learning_rate": _learning_rate(settings, steps),
        "weight_decay": settings.weight_decay or None,
    }
    if settings.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(momentum=MOMENTUM, nesterov=True, **common)
    elif settings.optimizer == "adam":
        optimizer = keras.optimizers.Adam(**common)
    else:
        optimizer = keras.optimizers.AdamW(**common | {"weight_decay": settings.weight_decay})
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _learning_rate(settings: TrainSettings, steps: int):
    if settings.schedule == "constant":
        return settings.learning_rate
    warm_up = max(1, round(WARM_UP * steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=settings.learning_rate / warm_up,
        decay_steps=max(1, steps - warm_up),
        warmup_target=settings.learning_rate,
        warmup_steps=warm_up,
    )


def _steps_per_execution(steps_per_epoch: int) -> int:
    """The largest divisor up to 8: with one iterator over all epochs, an execution must not cross an epoch."""
    return max(count for count in range(1, 9) if steps_per_epoch % count == 0)
