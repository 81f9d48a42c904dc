"""One strategy a process."""

import subprocess
import sys

import pytest

from keras_cnn.errors import InputError
from keras_cnn.training.strategy import describe, get_strategy


def test_the_same_object_at_every_call(two_devices):
    assert get_strategy(2) is two_devices
    assert two_devices.num_replicas_in_sync == 2
    with pytest.raises(RuntimeError, match="already has a strategy"):
        get_strategy(3)
    with pytest.raises(InputError, match="devices=0"):
        get_strategy(0)


def test_the_global_batch_is_told(two_devices):
    assert describe(two_devices, 16) == "MirroredStrategy over 2 CPU devices; global batch 32 = 16 x 2"


def test_without_a_gpu_the_default_is_one_cpu():
    code = (
        "from keras_cnn.quiet import import_tensorflow; import_tensorflow()\n"
        "from keras_cnn.training.strategy import get_strategy\n"
        "print(type(get_strategy()).__name__, get_strategy().num_replicas_in_sync)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "MirroredStrategy 1\n"
    assert run.stderr == ""  # not one of TensorFlow's start-up lines
