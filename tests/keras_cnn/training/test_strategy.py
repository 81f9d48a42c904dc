"""One strategy a process."""

import subprocess
import sys

import pytest
import tensorflow as tf

from keras_cnn.errors import InputError
from keras_cnn.training.strategy import describe, get_strategy, limit_threads


def test_get_strategy_returns_the_same_object_at_every_call(two_devices):
    assert get_strategy(2) is two_devices
    assert two_devices.num_replicas_in_sync == 2
    assert get_strategy() is get_strategy(1) is tf.distribute.get_strategy()
    with pytest.raises(InputError, match="devices=3, but this process has a strategy over 2 devices already"):
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


@pytest.mark.slow
def test_get_strategy_after_tensorflow_has_computed_uses_the_devices_that_there_are():
    code = (
        "import sys, tensorflow as tf, keras_cnn.logs; keras_cnn.logs.print_to('stdout')\n"
        "from keras_cnn.training.strategy import get_strategy\n"
        "cpu, one = tf.config.list_physical_devices('CPU')[0], tf.config.LogicalDeviceConfiguration()\n"
        "if sys.argv[1] == 'split': tf.config.set_logical_device_configuration(cpu, [one] * 3)\n"
        "tf.zeros(1) + 1\n"
        "print(get_strategy().num_replicas_in_sync, get_strategy(1).num_replicas_in_sync)\n"
        "try: print(get_strategy(2).num_replicas_in_sync)\n"
        "except ValueError as error: print(type(error).__name__, error)\n"
    )
    outputs = [
        subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True).stdout
        for how in ("whole", "split")
    ]
    assert outputs[0].startswith("1 1\nInputError devices=2, but TensorFlow has started with 1 CPU device in")
    assert "split into 3 devices already; 2 of them are used\n" in outputs[1]
    assert outputs[1].startswith("1 1\n") and outputs[1].endswith("2\n")


def test_limit_threads_to_none_at_all_is_refused():
    with pytest.raises(InputError, match="threads=0 must be at least 1"):
        limit_threads(0)
