"""Arrays that a `fit` shuffles anew in every epoch, in an order that follows from a seed and the epoch alone.

Keras shuffles by TensorFlow's global generator: without a seed no score can be repeated, and with one every epoch has
the same order (`keras.utils.set_random_seed`, Keras 3.15). Neither can be continued in the middle.
"""

import inspect
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.data.gather import unconverted

DEFAULT_BATCH_SIZE = 32  # of keras.Model.fit
PARALLEL_BATCHES = 2
PREFETCHED_BATCHES = 4


def shuffled_by_epoch(args: tuple, kwargs: dict, seed: int, initial_epoch: int) -> tuple[tuple, dict]:
    """The arguments of a `keras.Model.fit` with its arrays as batches that are shuffled by `seed` and epoch.

    Args:
        args: positional arguments of `fit`.
        kwargs: the others.
        seed: of the order.
        initial_epoch: the first epoch that is not yet trained.

    Returns:
        (args, kwargs); unchanged where `x` and `y` are not arrays, or are not to be shuffled.
    """
    try:
        given = inspect.signature(keras.Model.fit).bind_partial(None, *args, **kwargs).arguments
    except TypeError:  # `fit` explains it better
        return args, kwargs
    given.pop("self", None)
    if not _applies(given):
        return args, kwargs
    parts, validation = _held_out(given)
    batch_size = given.pop("batch_size", None) or DEFAULT_BATCH_SIZE
    given["initial_epoch"] = max(given.get("initial_epoch", 0), initial_epoch)
    # a `fit` that has nothing left to train still looks at a batch
    end = max(given.get("epochs", 1), given["initial_epoch"] + 1)
    batches = _batches(parts, batch_size, seed, given["initial_epoch"], end)
    if validation is not None:
        given.setdefault("validation_batch_size", batch_size)
        given["validation_data"] = validation
    steps = math.ceil(len(parts[0]) / batch_size)
    return (), {**given, "x": batches, "steps_per_epoch": steps, "shuffle": False}


def _applies(given: dict) -> bool:
    arrays = [given.get("x"), given.get("y")]
    if given.get("sample_weight") is not None:
        arrays.append(given["sample_weight"])
    lengths = {len(array) for array in arrays if isinstance(array, np.ndarray) and array.ndim}
    return (
        all(map(_is_numeric, arrays))
        and len(lengths) == 1
        and lengths != {0}
        and _splits(lengths.pop(), given)
        and given.get("shuffle", True) is True
        and not given.get("steps_per_epoch")
    )


def _splits(count: int, given: dict) -> bool:
    """Whether `validation_split` leaves images on both sides; if not, Keras says so."""
    share = 0.0 if given.get("validation_data") is not None else given.get("validation_split", 0.0)
    return not share or 0 < math.floor(count * (1 - share)) < count


def _is_numeric(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype.kind in "biuf"


def _held_out(given: dict) -> tuple[tuple, tuple | Any]:
    """(arrays to train on, validation data): as Keras, the last share `validation_split`, if there is one."""
    names = ("x", "y", "sample_weight")
    parts = tuple(_as_float(given.pop(name)) for name in names if given.get(name) is not None)
    given.pop("sample_weight", None)
    share, validation = given.pop("validation_split", 0.0), given.get("validation_data")
    if not share or validation is not None:
        return parts, validation
    count = math.floor(len(parts[0]) * (1 - share))
    return tuple(part[:count] for part in parts), tuple(part[count:] for part in parts)


def _as_float(array: np.ndarray) -> np.ndarray:
    """Keras casts floats to its default."""
    floating = array.dtype.kind == "f" and array.dtype != keras.config.floatx()
    return array.astype(keras.config.floatx()) if floating else array


def _batches(parts: tuple, batch_size: int, seed: int, initial_epoch: int, end: int) -> tf.data.Dataset:
    count, key = len(parts[0]), tf.constant([seed & 0x7FFFFFFF, seed >> 31], tf.int64)

    @unconverted
    def shuffled(epoch):
        order = tf.random.experimental.stateless_shuffle(tf.range(count), tf.random.fold_in(key, epoch))
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    @unconverted
    def fetch(rows):
        found = tf.numpy_function(
            lambda rows: tuple(part[rows] for part in parts), [rows], [part.dtype for part in parts]
        )
        for tensor, part in zip(found, parts, strict=True):
            tensor.set_shape((None, *part.shape[1:]))
        return tuple(found)

    options = tf.data.Options()
    options.autotune.enabled = False  # its thread sleeps at the end of each iterator
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    batches = tf.data.Dataset.range(initial_epoch, end).flat_map(shuffled)
    batches = batches.map(fetch, num_parallel_calls=PARALLEL_BATCHES).prefetch(PREFETCHED_BATCHES)
    return batches.with_options(options)
