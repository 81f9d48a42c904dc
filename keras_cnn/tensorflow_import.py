"""Without what TensorFlow and its converters write to file descriptor 2, which no setting of theirs silences."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence

# what Keras and KerasTuner look for as they are imported, to take data frames, draw galleries, wrap scikit-learn, fit
# Gaussian processes: three of the eight seconds of a start, and 120 MB (two slow cores, 2026-11-26)
DATA_FRAMES = ("pandas",)
OPTIONAL = (*DATA_FRAMES, "matplotlib", "sklearn")


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """File descriptor 2 is held aside; what was written to it meanwhile shows if an exception ends it."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            yield
        except BaseException:
            noise.seek(0)
            os.write(kept, noise.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def import_tensorflow(keras: bool = True, hidden: Sequence[str] = DATA_FRAMES) -> None:
    """Import TensorFlow and `keras`, without their start-up lines.

    Args:
        keras: whether to check Keras's backend.
        hidden: optional packages that Keras is not to find: `OPTIONAL` in a process that runs a command, where no code
            of the user's asks Keras for what needs them.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    with silenced(), without(*hidden):
        import tensorflow as tf

        tf.config.list_physical_devices()  # the first look at the devices prints too
        tf.get_logger().setLevel("ERROR")  # models made one after another are no excessive retracing
        if keras:
            _import_keras()


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """Hide optional packages from what is imported meanwhile; those that are imported already stay."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules |= dict.fromkeys(absent)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def _import_keras() -> None:
    import keras

    assert keras.backend.backend() == "tensorflow", "this project runs on Keras's TensorFlow backend"
