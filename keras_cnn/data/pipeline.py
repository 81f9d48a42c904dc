"""From a Split to batches of a tf.data.Dataset.

Two properties hold everywhere. The batches of an epoch are a pure function of (seed, epoch), so a run can
be continued at any epoch and repeated anywhere. And tf.data's autotuning is off: destroying an autotuned
iterator waits for its optimization thread, which sleeps up to twenty seconds at the end of an epoch.
"""

import math

import numpy as np
import tensorflow as tf

from keras_cnn.data.augment import augment, parse_augmentation
from keras_cnn.data.facts import Split
from keras_cnn.errors import InputError

PARALLEL_BATCHES = 2
PREFETCHED_BATCHES = 4


def steps_per_epoch(split: Split, batch_size: int) -> int:
    """Whole batches in one epoch; the rest sits out until the next shuffle. InputError if there is none."""
    if not 1 <= batch_size <= len(split):
        raise InputError(
            f"a batch of {batch_size} images does not fit the {len(split)} training images: "
            f"choose a --batch_size (per device) so that batch_size x devices is between 1 and {len(split)}."
        )
    return len(split) // batch_size


def training_batches(
    split: Split,
    batch_size: int,
    *,
    epochs: int,
    initial_epoch: int = 0,
    seed: int = 0,
    augmentation: str = "none",
) -> tf.data.Dataset:
    """Shuffled, augmented batches of the epochs `initial_epoch` to `epochs`, one after the other.

    Yields (uint8 (batch_size, H, W, C), int64 (batch_size,)); every batch is full. Iterate it with
    `steps_per_epoch` given, so that one iterator lives through all epochs.
    """
    steps = steps_per_epoch(split, batch_size)
    names = parse_augmentation(augmentation)
    key = tf.constant([seed & 0x7FFFFFFF, seed >> 31], tf.int64)

    def shuffled(epoch):
        order = tf.random.experimental.stateless_shuffle(tf.range(len(split)), tf.random.fold_in(key, epoch))
        batches = tf.reshape(order[: steps * batch_size], (steps, batch_size))
        return tf.data.Dataset.from_tensor_slices((epoch * steps + tf.range(steps, dtype=tf.int64), batches))

    def load(step, indices):
        images, labels = _fetch(split, indices)
        return augment(images, names, tf.random.fold_in(key, -1 - step)), labels

    epochs_to_come = tf.data.Dataset.range(initial_epoch, epochs)
    return _finish(epochs_to_come.flat_map(shuffled), load)


def evaluation_batches(split: Split, batch_size: int, *, replicas: int = 1) -> tf.data.Dataset:
    """Every image once, in order, in batches of nearly equal size, about `batch_size`.

    Under a strategy of several `replicas` all batches but the last divide evenly among them (Keras adds up
    the first batch over the replicas to learn its shape), and none is so small that a replica stays empty.
    InputError for fewer than two images a replica.
    """
    if len(split) < 2 * replicas:
        raise InputError(
            f"{len(split)} images to evaluate are too few for {replicas} devices; take fewer --devices."
        )
    batches = max(math.ceil(len(split) / batch_size), 1 if len(split) % replicas == 0 else 2)
    bounds = np.linspace(0, len(split), batches + 1).astype(np.int64)
    bounds[1:-1] -= bounds[1:-1] % replicas
    ranges = tf.data.Dataset.from_tensor_slices((bounds[:-1], bounds[1:]))
    return _finish(ranges, lambda start, stop: _fetch(split, tf.range(start, stop)))


def _fetch(split: Split, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The images and labels at `indices`. Through NumPy, so that they may be memory-mapped."""
    images, labels = tf.numpy_function(
        lambda rows: (split.images[rows], split.labels[rows]), [indices], (tf.uint8, tf.int64), stateful=False
    )
    count = indices.shape[0]
    images.set_shape((count, *split.images.shape[1:]))
    labels.set_shape((count,))
    return images, labels


def _finish(dataset: tf.data.Dataset, load) -> tf.data.Dataset:
    options = tf.data.Options()
    options.autotune.enabled = False
    options.deterministic = True
    # one process reads everything; a strategy splits each batch over its replicas, not the files
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    dataset = dataset.map(load, num_parallel_calls=PARALLEL_BATCHES)
    return dataset.prefetch(PREFETCHED_BATCHES).with_options(options)
