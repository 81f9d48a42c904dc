"""Training of a model of the user's own: its file in the run, its labels, and the settings that it replaces."""

import contextlib
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import keras
import numpy as np

from keras_cnn.data.augmentation.augment import parse_augmentation
from keras_cnn.data.augmentation.mix import MIXES
from keras_cnn.data.dataset import DataFacts, ImageData
from keras_cnn.errors import InputError, in_one_line, unknown_name
from keras_cnn.function_import import import_function, is_function_name
from keras_cnn.models.keras_file import load_keras_file
from keras_cnn.models.own import build_own, of_fixed_size, precision_of
from keras_cnn.task import TASKS, Task
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import INITIAL

# settings that say how our architectures are built
OF_ARCHITECTURES = (
    *("activation", "kernel_initializer", "normalization", "batch_norm", "synchronized", "dropout"),
    *("weights", "freeze", "precision"),
)
# settings that a compiled model brings with it
OF_COMPILING = (
    *("loss", "optimizer", "learning_rate", "schedule", "weight_decay", "global_clipnorm", "ema_momentum"),
    "label_smoothing",
)


@contextlib.contextmanager
def own_model_file(
    source: keras.Model | Callable | str, settings: TrainSettings, facts: DataFacts
) -> Iterator[Path]:
    """The model that `source` is or builds, as a .keras file that lasts as long as the context.

    Raises:
        InputError: for models that do not fit data and settings, or cannot be loaded again from a file.
    """
    keras.utils.set_random_seed(settings.seed)
    shape = settings.input_shape(facts)
    model = build_own(source, shape, len(facts.classes), settings.options, TASKS[facts.task])
    _check_settings(settings, model.compiled)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / INITIAL
        try:
            of_fixed_size(model, shape).save(path)
            loaded = _load(path)
        except Exception as error:  # layers raise whatever they like where they cannot be saved
            text = in_one_line(error)
            reason = (text.partition("cannot be loaded: ")[2] or text).partition(". ")[0]
            raise InputError(
                f"the model cannot be saved and loaded again, which a run needs ({reason}): decorate its own "
                "layers, losses and metrics with @keras.saving.register_keras_serializable(); replace Lambda layers by "
                "layers of your own."
            ) from error
        if loaded.compiled != model.compiled:
            raise InputError(
                "the model is loaded without its loss and optimizer: register its own losses and metrics."
            )
        yield path


def load_own(settings: TrainSettings, facts: DataFacts, path: Path | None) -> keras.Model:
    """The model of a run as the user gave it: from the file `path`, or, without that, from its MODULE:FUNCTION."""
    if path is not None and path.exists():
        if is_function_name(settings.architecture):
            with contextlib.suppress(
                InputError
            ):  # its module registers the layers of the model, if it is there
                import_function(settings.architecture)
        return _load(path)
    if ":" not in settings.architecture:
        raise InputError(f"{path} is missing, which holds the run's model as it was given: train anew.")
    shape = settings.input_shape(facts)
    task = TASKS[facts.task]
    model = build_own(settings.architecture, shape, len(facts.classes), settings.options, task)
    return of_fixed_size(model, shape)


def _load(path: Path) -> keras.Model:
    with warnings.catch_warnings():  # an optimizer that has not trained yet has no variables to load
        warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
        return load_keras_file(path)


def _check_settings(settings: TrainSettings, compiled: bool) -> None:
    """Raise InputError for settings that would have no effect."""
    defaults = {field.name: field.default for field in fields(TrainSettings)}
    for name in OF_ARCHITECTURES + (OF_COMPILING if compiled else ()):
        if getattr(settings, name) != defaults[name]:
            why = "is compiled with a loss and an optimizer" if name in OF_COMPILING else "is built already"
            raise InputError(
                f"{name}={getattr(settings, name)!r} has no effect on this model, which {why}: leave it out, and set "
                "it where the model is made."
            )


def with_own(settings: TrainSettings, model: keras.Model, compiled: bool, task: Task) -> TrainSettings:
    """The resolved settings of a run with this model; compiled: whether with a loss of the user's own."""
    settings = replace(settings, precision=precision_of(model))
    if not compiled:
        return settings
    mixes = set(parse_augmentation(settings.augmentation)) & set(MIXES)
    if mixes and task.class_ids and not takes_one_hot(model, task):
        raise InputError(
            f"augmentation={settings.augmentation!r} mixes labels, and the model's loss takes the numbers of classes: "
            "leave mixup and cutmix out, or compile it with categorical_crossentropy."
        )
    return replace(settings, label_smoothing=0.0)


def takes_one_hot(model: keras.Model, task: Task) -> bool:
    """Whether the loss of a compiled model compares distributions over the classes, as most of Keras's do.

    Losses called sparse, functions of the user's own and models of a single output take the numbers of the classes.
    Labels that are no classes stay as they are.
    """
    if not task.class_ids:
        return False
    loss = model.loss
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")
    known = isinstance(loss, keras.losses.Loss) or _is_of_keras(str(name))
    return model.outputs[0].shape[-1] > 1 and known and "sparse" not in str(name).lower()


def _is_of_keras(name: str) -> bool:
    try:
        return keras.losses.get(name) is not None
    except ValueError:
        return False


def try_out(model: keras.Model, data: ImageData, one_hot: bool, objective: str | None) -> list[str]:
    """Evaluate a compiled model on two images, so that what does not fit shows before anything is written.

    Returns:
        The names of its validation metrics.

    Raises:
        InputError: if its loss or a metric cannot be computed, or `objective` is none of its metrics.
    """
    images, labels = data.train.images[:2], data.train.labels[:2]
    if one_hot:
        labels = np.eye(len(data.facts.classes), dtype=np.float32)[labels]
    try:
        outputs, labels = model(images, training=False), keras.ops.convert_to_tensor(labels)
        model.compute_loss(images, labels, outputs, training=False)
        logs = {"loss": None, **model.compute_metrics(images, labels, outputs)}
    except Exception as error:  # whatever losses and metrics stumble on
        plain = "labels that are the numbers of the classes" if labels.ndim == 1 else "labels"
        form = "one-hot labels" if one_hot else plain
        raise InputError(
            f"the model's loss, its weights or its metrics cannot be computed with {form} of shape {labels.shape}: "
            f"{in_one_line(error).rstrip('.')}. compile(optimizer, loss, metrics=[...]) names metrics."
        ) from error
    model.reset_metrics()
    names = [f"val_{name}" for name in logs]
    if objective is not None and objective not in names:
        raise unknown_name("objective", objective, names)
    return names
