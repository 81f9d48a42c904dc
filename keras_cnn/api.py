"""train: from a model and data to a finished run, in one call; also what `keras-cnn train` does."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_cnn.data.dataset import ImageData
from keras_cnn.data.sources import load
from keras_cnn.errors import InputError
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.keyword_settings import LOADING, settings_from
from keras_cnn.training_run import TrainingRun

if TYPE_CHECKING:
    import keras


def train(
    model: "str | TrainSettings | keras.Model | Callable",
    data: Any = None,
    *,
    epochs: int | None = None,
    directory: str | Path | None = None,
    devices: int | None = None,
    download: bool = False,
    callbacks: "Iterable[keras.callbacks.Callback]" = (),
    **settings: Any,
) -> TrainingRun:
    """Train a model, keep its best weights, and measure them once on the test split.

    ```python
    run = keras_cnn.train("vgg", (x, y), epochs=5, learning_rate=0.01)
    ```

    Args:
        model: the name of an architecture; `TrainSettings`; a `keras.Model`, of which a copy is trained; or a function
            `(input_shape, classes, **options) -> keras.Model`, itself or as MODULE:FUNCTION. A compiled model keeps its
            loss, optimizer and metrics, another one is compiled as the settings say. `classes` is the number of
            outputs, also of multi_label and regression, which only models of your own are for.
        data: what `load` returns or takes: arrays (x, y), `"digits"`, ...; None for the data that `TrainSettings` name.
        epochs: passes over the training images; None for those of the settings, 10.
        directory: where to write; None for the first free `runs/DATA-ARCHITECTURE-N`.
        devices: number of GPUs, None for all; without a GPU, of logical devices to split the CPU into.
        download: whether a TensorFlow Datasets set may be fetched from the network.
        callbacks: more Keras callbacks; they are not stored with the run.
        **settings: other fields of `TrainSettings`, such as `batch_size`, `learning_rate`, `task`, `options`;
            of arrays also `class_names` and `value_range`, as `load` takes them.

    Returns:
        The finished run.

    Raises:
        InputError: for data, settings and sizes that cannot be trained, before anything is written.
        Diverged: at the first batch whose loss is not finite.
    """
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    from keras_cnn.models.own import own_name
    from keras_cnn.training.run import train_run

    named = isinstance(model, str | TrainSettings)
    if not named and not callable(model):
        raise InputError(
            f"model is a {type(model).__name__}: give the name of an architecture, TrainSettings, a keras.Model, or a "
            "function that builds one."
        )
    if data is None and not isinstance(model, TrainSettings):
        raise InputError("no data: give them as in train(model, (x, y)) or train(model, 'digits').")
    if data is not None and not isinstance(data, str | ImageData):
        defaults = model if isinstance(model, TrainSettings) else TrainSettings()
        arguments = {name: settings.pop(name, getattr(defaults, name)) for name in LOADING}
        arguments |= {name: settings.pop(name) for name in ("class_names", "value_range") if name in settings}
        data = load(data, **arguments)
    base = model if isinstance(model, str | TrainSettings) else own_name(model)
    wanted = settings_from(base, data, {"epochs": epochs, **settings})
    loaded = data if isinstance(data, ImageData) else None
    written = train_run(
        wanted,
        Path(directory) if directory else None,
        model=None if named else model,
        data=loaded,
        devices=devices,
        download=download,
        callbacks=callbacks,
    )
    return TrainingRun(written, loaded)
