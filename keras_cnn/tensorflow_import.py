"""Without what TensorFlow and its converters write to file descriptor 2, which no setting of theirs silences."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


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


def import_tensorflow(keras: bool = True) -> None:
    """Import TensorFlow and `keras`, without their start-up lines."""
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    with silenced(), without("pandas"):
        import tensorflow as tf

        tf.config.list_physical_devices()  # the first look at the devices prints too
        tf.get_logger().setLevel("ERROR")  # models made one after another are no excessive retracing
        if keras:
            _import_keras()


@contextlib.contextmanager
def without(name: str) -> Iterator[None]:
    """Hide an optional package from what is imported meanwhile.

    Keras and KerasTuner look for pandas, to take data frames: 60 MB of every process, and a third of a second.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def _import_keras() -> None:
    import keras

    assert keras.backend.backend() == "tensorflow", "this project runs on Keras's TensorFlow backend"
