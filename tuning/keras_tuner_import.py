"""The import of KerasTuner, and of TensorFlow before it, without their messages and optional packages."""

import threading
from collections.abc import Sequence

from keras_cnn.tensorflow_import import DATA_FRAMES, import_tensorflow, without

_IMPORTING = threading.Lock()


def import_tuner(hidden: Sequence[str] = DATA_FRAMES) -> None:
    """Import TensorFlow and KerasTuner, without optional packages.

    Args:
        hidden: as `import_tensorflow` takes it; without scikit-learn KerasTuner has no Gaussian processes, which
            workers do not need.
    """
    with _IMPORTING:  # searches may begin in two threads
        import_tensorflow(hidden=hidden)
        with without(*hidden):
            import keras_tuner  # noqa: F401
