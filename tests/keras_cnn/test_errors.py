"""Errors of files and memory as one line, whoever raises them."""

import errno
import os

import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.errors import DISK_FULL, in_one_line, refusal


def test_refusal_of_a_file_error_names_the_file():
    assert refusal(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/proc/x")) == (
        "/proc/x: No such file or directory. Choose a path that can be read and written."
    )


def test_refusal_of_a_file_error_of_tensorflow_leaves_out_its_nodes():
    text = (
        "{{function_node a_device_/job:localhost/device:CPU:0}} r/logs is not a directory [Op:Writer] name: "
    )
    assert refusal(tf.errors.FailedPreconditionError(None, None, text)) == (
        "r/logs is not a directory. Choose a path that can be read and written."
    )


def test_refusal_of_memory_that_ran_out():
    with pytest.raises(MemoryError) as raised:
        np.empty(10**15, np.uint8)
    assert refusal(raised.value).startswith("not enough memory (Unable to allocate")
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor by allocator cpu")
    assert refusal(error).startswith("not enough memory (OOM when allocating tensor): take a smaller model")


def test_refusal_of_a_full_disk_is_not_that_of_memory():
    error = tf.errors.ResourceExhaustedError(None, None, "r/logs; No space left on device")
    assert refusal(error) == DISK_FULL


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError("y"), tf.errors.InvalidArgumentError(None, None, "z")]
)
def test_refusal_of_a_bug_is_none(error):
    assert refusal(error) is None


def test_in_one_line_shortens():
    assert in_one_line("a\n  b" + "c" * 400) == "a b" + "c" * 297
