"""The one distribution strategy of a process: MirroredStrategy over its devices."""

import logging

import tensorflow as tf

from keras_cnn.errors import InputError

MAX_THREADS = 1024  # TensorFlow crashes on the number of threads that a system has not
MAX_CPU_DEVICES = 64
logger = logging.getLogger(__name__)
_mirrored: list[tf.distribute.MirroredStrategy] = []  # the one of this process, once it is made


def get_strategy(devices: int | None = None) -> tf.distribute.Strategy:
    """The distribution strategy of this process: MirroredStrategy over its devices.

    For a single CPU device it is TensorFlow's default strategy, whose iterators save a tenth of a short run. There is
    one MirroredStrategy a process, because a second one makes every later `fit` fail. Devices that TensorFlow has
    already set up are used as they are, and a line is logged that says so.

    Args:
        devices: number of GPUs, None for all, or for the strategy in whose scope this is called; without a GPU, number
            of logical devices to split the CPU into, which must be done before TensorFlow computes.

    Returns:
        The strategy.

    Raises:
        InputError: if there are fewer devices than `devices`, or the process has a strategy over another number.
    """
    if devices is not None and devices < 1:
        raise InputError(f"devices={devices} must be at least 1.")
    gpus = len(tf.config.list_logical_devices("GPU")) if tf.config.get_visible_devices("GPU") else 0
    if devices is None and (not gpus or tf.distribute.has_strategy()):
        return tf.distribute.get_strategy()
    if _mirrored:
        return _existing(_mirrored[0], devices)
    if devices == 1 and not gpus:
        return tf.distribute.get_strategy()
    if gpus:
        strategy = tf.distribute.MirroredStrategy(_first_gpus(gpus, devices))
    else:
        assert devices is not None
        strategy = tf.distribute.MirroredStrategy(
            _split_cpu(devices), cross_device_ops=tf.distribute.ReductionToOneDevice()
        )
    _mirrored.append(strategy)
    return strategy


def _existing(strategy: tf.distribute.Strategy, devices: int | None) -> tf.distribute.Strategy:
    """`strategy`, which this process has made, or the default one, of a single device."""
    made = strategy.num_replicas_in_sync
    if devices == 1 and made > 1:
        return tf.distribute.get_strategy()
    if devices not in (None, made):
        raise InputError(
            f"devices={devices}, but this process has a strategy over {made} devices already, and TensorFlow allows "
            f"one: give devices={made} or 1, or start a new process."
        )
    return strategy


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
    """Names of `count` logical CPU devices; TensorFlow can make them until it starts to compute."""
    if count > MAX_CPU_DEVICES:
        raise InputError(f"devices={count}, but without a GPU at most {MAX_CPU_DEVICES} are useful.")
    cpu = tf.config.list_physical_devices("CPU")[0]
    present = tf.config.get_logical_device_configuration(cpu)
    if present is None or len(present) < count:
        try:
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
        except RuntimeError:  # TensorFlow has computed: its devices are what they are
            existing = len(tf.config.list_logical_devices("CPU"))
            raise InputError(
                f"devices={count}, but TensorFlow has started with {existing} CPU device{'s' * (existing > 1)} in "
                f"this process, which cannot be split any more: call keras_cnn.get_strategy({count}) before anything "
                f"computes, or give devices={existing}."
            ) from None
    else:
        logger.info(
            f"TensorFlow's CPU is split into {len(present)} devices already; {count} of them are used"
        )
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
