"""From a Split to batches of a tf.data.Dataset.

Two properties hold everywhere. The batches of an epoch are a pure function of (seed, epoch), so a run can
be continued at any epoch and repeated anywhere. And tf.data's autotuning is off: destroying an autotuned
iterator waits for its optimization thread, which sleeps up to twenty seconds at the end of an epoch.
"""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_cnn.data.augmentation.augment import augment, augment_masks, check_for_masks, parse_augmentation
from keras_cnn.data.augmentation.mix import MIXES, mix
from keras_cnn.data.dataset import Split
from keras_cnn.data.gather import fetch, fetch_windows, unconverted
from keras_cnn.data.value_range import PIXELS
from keras_cnn.data.windows import Window
from keras_cnn.errors import InputError

PARALLEL_BATCHES = 2
PREFETCHED_BATCHES = 4


def steps_per_epoch(split: Split, batch_size: int, window: Window | None = None) -> int:
    """Whole batches in one epoch; the rest sits out until the next shuffle. InputError if there is none.

    window: of an image, what a batch holds one of; as many as cover all images make an epoch then.
    """
    count, what = (
        (window.count(len(split), split.labels.shape[1:]), "windows") if window else (len(split), "images")
    )
    if not 1 <= batch_size <= count:
        raise InputError(
            f"a batch of {batch_size} {what} does not fit the {count} training {what}: "
            f"choose a --batch_size (per device) so that batch_size x devices is between 1 and {count}."
        )
    return count // batch_size


def training_batches(
    split: Split,
    batch_size: int,
    *,
    epochs: int,
    initial_epoch: int = 0,
    seed: int = 0,
    augmentation: str = "none",
    label_smoothing: float = 0.0,
    classes: int | None = None,
    balanced: bool = False,
    class_weight: Sequence[float] | None = None,
    window: Window | None = None,
    value_range: tuple[float, float] = PIXELS,
    one_hot: bool = False,
) -> tf.data.Dataset:
    """Shuffled, augmented batches of the epochs `initial_epoch` to `epochs`, one after the other.

    Yields (images (batch_size, H, W, C), uint8 or float32 as in `split`, int64 (batch_size,)); every batch is full.
    Where the augmentation mixes images, `label_smoothing` is above 0, or with `one_hot`, labels are float32
    (batch_size, classes) distributions instead; ValueError if `classes` is not given then. Labels of `split` that are
    rows, float32 (N, K), stay such.
    window: needed for images with masks; yields random windows of them, (batch_size, *size, C), and the masks
    uint8 (batch_size, *inner) of what is answered of each. Geometric augmentations move both in the same way.
    class_weight: of each class in the loss; batches then gain float32 (batch_size,) weights, those of the labels,
    or of what they are mixed of.
    value_range: of the pixels, as in `DataFacts`.
    balanced: draw every class equally often instead of every image once, in as many steps.
    Iterate it with `steps_per_epoch` given, so that one iterator lives through all epochs.
    """
    steps = steps_per_epoch(split, batch_size, window)
    names = parse_augmentation(augmentation)
    alone = tuple(name for name in names if name not in MIXES)
    mixes = names[len(alone) :]
    soft = bool(mixes) or label_smoothing > 0 or one_hot
    if soft and classes is None:
        raise ValueError(
            f"augmentation={augmentation!r}, {label_smoothing=}, {one_hot=} make soft labels: give `classes`"
        )
    if window:
        check_for_masks(names)
    key = tf.constant([seed & 0x7FFFFFFF, seed >> 31], tf.int64)
    count = window.count(len(split), split.labels.shape[1:]) if window else len(split)

    @unconverted
    def shuffled(epoch):
        epoch_key = tf.random.fold_in(key, epoch)
        order = tf.random.experimental.stateless_shuffle(tf.range(count), epoch_key) % len(split)
        if balanced:
            order = _balance(order, split.labels, steps * batch_size, epoch, tf.random.fold_in(epoch_key, 0))
        batches = tf.reshape(order[: steps * batch_size], (steps, batch_size))
        return tf.data.Dataset.from_tensor_slices((epoch * steps + tf.range(steps, dtype=tf.int64), batches))

    def load(step, indices):
        step_key = tf.random.fold_in(key, -1 - step)
        if window:
            images, labels = fetch_windows(split, indices, window, tf.random.fold_in(step_key, -2))
            labels = window.center(augment_masks(labels, alone, step_key))
        else:
            images, labels = fetch(split, indices)
        images = augment(images, alone, step_key, value_range)
        if not soft:
            return images, labels, *_weigh(labels, class_weight)
        shares = labels if labels.dtype.is_floating else tf.one_hot(labels, classes)
        images, shares = mix(images, shares, mixes, tf.random.fold_in(step_key, -1))
        return images, _smooth(shares, label_smoothing), *_weigh(shares, class_weight)

    epochs_to_come = tf.data.Dataset.range(initial_epoch, epochs)
    return _finish(epochs_to_come.flat_map(shuffled), load)


def evaluation_batches(
    split: Split, batch_size: int, *, replicas: int = 1, one_hot_classes: int | None = None
) -> tf.data.Dataset:
    """Every image once, in order, in batches of nearly equal size, about `batch_size`.

    Labels are as in `split`, or float32 one-hot rows of `one_hot_classes`.

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

    def load(start, stop):
        images, labels = fetch(split, tf.range(start, stop))
        return images, labels if one_hot_classes is None else tf.one_hot(labels, one_hot_classes)

    return _finish(ranges, load)


def _balance(
    order: tf.Tensor, labels: np.ndarray, count: int, epoch: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """`count` indices of images, as many of each class that there is; what is left over goes round by epoch.

    order: all indices, shuffled. A class draws an image again only after all its others, in this order.
    """
    present, sizes = np.unique(labels, return_counts=True)
    slots = tf.range(count, dtype=tf.int64)
    kind = (slots + epoch) % len(present)
    place = slots // len(present) % tf.gather(sizes, kind)
    by_class = tf.gather(order, tf.argsort(tf.gather(labels, order), stable=True))
    drawn = tf.gather(by_class, tf.gather(np.cumsum(sizes) - sizes, kind) + place)
    return tf.random.experimental.stateless_shuffle(drawn, seed)


def _smooth(shares: tf.Tensor, smoothing: float) -> tf.Tensor:
    """shares * (1 - smoothing) + smoothing / classes (Szegedy et al. 2016, arXiv:1512.00567); (B, classes)."""
    return shares * (1 - smoothing) + smoothing / shares.shape[-1]


def _weigh(labels: tf.Tensor, class_weight: Sequence[float] | None) -> tuple[tf.Tensor, ...]:
    """The weights (B,) of labels (B,), or of shares (B, classes), as the one element of a tuple; () without weights."""
    if class_weight is None:
        return ()
    weights = tf.constant(class_weight, tf.float32)
    if labels.dtype.is_integer:
        return (tf.gather(weights, tf.cast(labels, tf.int32)),)
    return (tf.linalg.matvec(labels, weights),)


def _finish(dataset: tf.data.Dataset, load) -> tf.data.Dataset:
    options = tf.data.Options()
    options.autotune.enabled = False
    options.deterministic = True
    # one process reads everything; a strategy splits each batch over its replicas, not the files
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    dataset = dataset.map(unconverted(load), num_parallel_calls=PARALLEL_BATCHES)
    return dataset.prefetch(PREFETCHED_BATCHES).with_options(options)
