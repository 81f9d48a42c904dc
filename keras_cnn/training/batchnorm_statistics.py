"""Batch normalization's moving statistics, estimated anew for the weights as they are.

A moving average belongs to weights of the past. In the first epochs, when the weights move fast, inference with it
was up to 40 points less accurate on the training images than with batch statistics, whatever the momentum or the
correction of its start; statistics taken from ten batches with the present weights were within 1.4 points
(`benchmarks/batchnorm_statistics.py`). Validation, early stopping and the ranking of trials need the latter.
"""

import contextlib
import math
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.models.layers import BatchNormalization
from keras_cnn.training.ema import averaged

BATCHES, IMAGES = 10, 512  # at least so many of each: few small batches give noisy statistics


class BatchStatistics(keras.callbacks.Callback):
    """Before each validation, give every BatchNormalization the statistics of the first of `batches`.

    Ten are taken, or as many as hold 512 images; ten of masks, where each image has a great many values.

    The images should be plain training images, in batches of the size trained with. They pass as in inference,
    without dropout, but each layer normalizes with the batch's own statistics, as the layers after it have learned
    to expect (Li et al. 2019, arXiv:1801.05134, on the shift that dropout causes otherwise). Frozen layers stay.

    validated: False for a run without validation, whose statistics are estimated after each epoch.
    """

    def __init__(self, batches: tf.data.Dataset, validated: bool = True):
        super().__init__()
        self._validated = validated
        images, labels = batches.element_spec
        few = BATCHES if labels.shape.rank > 2 else math.ceil(IMAGES / images.shape[0])
        self._batches = batches.take(max(BATCHES, few))
        self._forward = None

    def on_test_begin(self, logs=None):
        kinds = (layer for layer in self.model._flatten_layers() if isinstance(layer, BatchNormalization))
        layers = [layer for layer in kinds if layer.trainable]
        if not layers:
            return
        strategy = self.model.distribute_strategy
        if self._forward is None:
            self._forward = tf.function(lambda images: strategy.run(self._pass, (images,)), autograph=False)
        found = []
        for images, _ in strategy.experimental_distribute_dataset(self._batches):
            with _observing(layers):
                self._forward(images)
            found.append([(layer.moving_mean.numpy(), layer.moving_variance.numpy()) for layer in layers])
        with strategy.scope():
            for layer, moments in zip(layers, zip(*found, strict=True), strict=True):
                mean, variance = _pooled(np.array(moments, np.float64))
                layer.moving_mean.assign(mean)
                layer.moving_variance.assign(variance)

    def on_epoch_end(self, epoch, logs=None):
        if not self._validated:
            with averaged(self.model):
                self.on_test_begin()

    def _pass(self, images):
        self.model(images, training=False)


@contextlib.contextmanager
def _observing(layers: list[BatchNormalization]) -> Iterator[None]:
    """Within it, the layers normalize with batch statistics and hold them as their moving ones."""
    for layer in layers:
        layer.observing = True
    try:
        yield
    finally:
        for layer in layers:
            layer.observing = False


def _pooled(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (C,) of all batches together, from those (batches, 2, C) of each."""
    means, variances = moments[:, 0], moments[:, 1]
    return means.mean(0), variances.mean(0) + means.var(0)
