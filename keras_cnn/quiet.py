"""Import TensorFlow without its start-up lines, which no setting of its own silences."""

import os
import sys
import tempfile


def import_tensorflow(keras: bool = True) -> None:
    """Import TensorFlow and `keras` with file descriptor 2 held aside; what was written shows if it fails."""
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()  # the first look at the devices prints too
            tf.get_logger().setLevel("ERROR")  # models made one after another are no excessive retracing
            if keras:
                _import_keras()
        except BaseException:
            noise.seek(0)
            os.write(kept, noise.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _import_keras() -> None:
    import keras

    assert keras.backend.backend() == "tensorflow", "this project runs on Keras's TensorFlow backend"
