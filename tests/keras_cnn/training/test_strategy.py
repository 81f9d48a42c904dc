"""One strategy a process."""

import subprocess
import sys

import pytest

from keras_cnn.errors import InputError
from keras_cnn.training.strategy import describe, get_strategy, limit_threads


def test_get_strategy_returns_the_same_object_at_every_call(two_devices):
    assert get_strategy(2) is two_devices
    assert two_devices.num_replicas_in_sync == 2
    with pytest.raises(RuntimeError, match="already has a strategy"):
        get_strategy(3)
    with pytest.raises(InputError, match="devices=0"):
        get_strategy(0)


def test_describe_names_the_global_batch(two_devices):
    assert describe(two_devices, 16) == "MirroredStrategy over 2 CPU devices; global batch 32 = 16 x 2"


@pytest.mark.slow
def test_process_without_a_gpu_has_one_cpu_in_the_threads_it_is_limited_to():
    code = (
        "from keras_cnn.tensorflow_import import import_tensorflow; import_tensorflow()\n"
        "import tensorflow as tf\n"
        "from keras_cnn.training.strategy import describe, get_strategy, limit_threads\n"
        "limit_threads(None); limit_threads(1)\n"  # before anything computes
        "print(get_strategy() is tf.distribute.get_strategy(), describe(get_strategy(), 16))\n"
        "tf.matmul(tf.ones((400, 400)), tf.ones((400, 400)))\n"
        "threading = tf.config.threading\n"
        "print(threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "True one CPU device; batch 16\n1 1\n"
    assert run.stderr == ""  # not one of TensorFlow's start-up lines


def test_limit_threads_to_none_at_all_is_refused():
    with pytest.raises(InputError, match="threads=0 must be at least 1"):
        limit_threads(0)
