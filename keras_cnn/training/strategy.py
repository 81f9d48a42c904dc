"""The one distribution strategy of a process: MirroredStrategy over its devices."""

import functools

import tensorflow as tf

from keras_cnn.errors import InputError

MAX_THREADS = 1024  # TensorFlow crashes on the number of threads that a system has not
MAX_CPU_DEVICES = 64


@functools.cache
def get_strategy(devices: int | None = None) -> tf.distribute.Strategy:
    """The distribution strategy of this process: MirroredStrategy over its devices.

    For a single CPU device it is TensorFlow's default strategy, whose iterators save a tenth of a short run. Every call
    returns the same object, because a second MirroredStrategy in one process makes every later `fit` fail.

    Args:
        devices: number of GPUs, None for all; without a GPU, number of logical devices to split the CPU into.

    Returns:
        The strategy.

    Raises:
        InputError: if there are fewer GPUs than `devices`.
        RuntimeError: if the process already has a strategy over another number of devices.
    """
    if devices is not None and devices < 1:
        raise InputError(f"devices={devices} must be at least 1.")
    if get_strategy.cache_info().currsize:
        raise RuntimeError("this process already has a strategy over another number of devices")
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return tf.distribute.MirroredStrategy(_first_gpus(len(gpus), devices))
    if devices in (None, 1):
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy(
        _split_cpu(devices), cross_device_ops=tf.distribute.ReductionToOneDevice()
    )


def limit_threads(threads: int | None) -> None:
    """Let TensorFlow compute in `threads` threads; None for one a processor. Call it before anything computes.

    Raises:
        InputError: for less than 1.
    """
    if threads is None:
        return
    if threads < 1:
        raise InputError(f"threads={threads} must be at least 1.")
    if threads > MAX_THREADS:
        raise InputError(f"threads={threads} must be at most {MAX_THREADS}.")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def _first_gpus(present: int, wanted: int | None) -> list[str]:
    if wanted is not None and wanted > present:
        raise InputError(f"devices={wanted}, but this machine shows {present} GPUs.")
    return [f"GPU:{index}" for index in range(wanted or present)]


def _split_cpu(count: int) -> list[str]:
    """Names of `count` logical CPU devices; they can only be made before TensorFlow starts to compute."""
    if count > MAX_CPU_DEVICES:
        raise InputError(f"devices={count}, but without a GPU at most {MAX_CPU_DEVICES} are useful.")
    cpu = tf.config.list_physical_devices("CPU")[0]
    present = tf.config.get_logical_device_configuration(cpu)
    if count > 1 and (present is None or len(present) < count):
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    return [f"CPU:{index}" for index in range(count)]


def describe(strategy: tf.distribute.Strategy, batch_size: int) -> str:
    """One line: the devices and the global batch."""
    replicas = strategy.num_replicas_in_sync
    if not isinstance(strategy, tf.distribute.MirroredStrategy):
        return f"one CPU device; batch {batch_size}"
    kind = strategy.extended.worker_devices[0].split(":")[-2]
    return (
        f"MirroredStrategy over {replicas} {kind} device{'s' if replicas > 1 else ''}; "
        f"global batch {batch_size * replicas} = {batch_size} x {replicas}"
    )
