"""The few layers Keras lacks, or computes in a way that is slow or wrong where we need it."""

import keras
from keras import ops

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf


@keras.saving.register_keras_serializable("keras_cnn")
class PerImageStandardization(keras.layers.Layer):
    """(x - mean) / sd over the pixels of each image; (B, H, W, C) in and out.

    As `tf.image.per_image_standardization`: the deviation is at least 1/sqrt(number of values), so that
    an image of one color becomes zeros.
    """

    def call(self, inputs):
        inputs = ops.cast(inputs, self.compute_dtype)
        mean, variance = ops.moments(inputs, axes=(1, 2, 3), keepdims=True)
        values = inputs.shape[1] * inputs.shape[2] * inputs.shape[3]
        return (inputs - mean) / ops.maximum(ops.sqrt(variance), values**-0.5)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("keras_cnn")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` whose training step is faster on processors; same arguments, weights and outputs.

    TensorFlow's oneDNN rewrite computes a bias's gradient inside the kernel's, which in float32 takes a quarter
    longer than both apart; here it is a product with ones, which that rewrite leaves alone. And `groups`, which Keras
    computes through XLA there, are convolutions side by side.
    """

    def call(self, inputs, training=None):
        plain = self.compute_dtype != "float32" or self.data_format != "channels_last" or not self.use_bias
        if not training or plain or keras.backend.backend() != "tensorflow":
            return super().call(inputs)
        outputs = _add_bias(self.convolution_op(inputs, self.kernel), tf.convert_to_tensor(self.bias))
        return self.activation(outputs)

    def convolution_op(self, inputs, kernel):
        split = keras.backend.backend() == "tensorflow" and not tf.config.list_physical_devices("GPU")
        if self.groups == 1 or self.data_format != "channels_last" or not split:
            return super().convolution_op(inputs, kernel)
        how = {"padding": self.padding, "data_format": self.data_format, "dilation_rate": self.dilation_rate}
        parts = zip(ops.split(inputs, self.groups, -1), ops.split(kernel, self.groups, -1), strict=True)
        return ops.concatenate([ops.conv(x, k, list(self.strides), **how) for x, k in parts], axis=-1)


def _add_bias(images, bias):
    """images (B, H, W, C) + bias (C,)."""

    @tf.custom_gradient
    def add(images, bias):
        def gradient(upstream):
            pixels = tf.reshape(upstream, (-1, upstream.shape[-1]))
            return upstream, tf.linalg.matmul(tf.ones((1, tf.shape(pixels)[0])), pixels)[0]

        return tf.nn.bias_add(images, bias), gradient

    return add(images, bias)


@keras.saving.register_keras_serializable("keras_cnn")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` (Ioffe & Szegedy 2015), fused, and equal on all replicas.

    Same arguments and the same four weights in the same order, so weights move both ways. It differs in
    three points, all on the TensorFlow backend:

    - *Fused.* Inputs of rank 2 and 4 with channels last run through TensorFlow's `FusedBatchNormV3`, forward
      and backward, also in bfloat16 and float16; everything else takes Keras's own path.
    - *Moving statistics.* `momentum` is 0.9 and the first batch replaces the initial (0, 1), for Keras's 0.99 from
      (0, 1) needs about 500 steps to forget its start. That is still an average over past weights; in training,
      `keras_cnn.training.batchnorm_statistics` puts in its place what it finds while `observing` is set: the layer then
      normalizes with the batch's statistics and keeps those, whatever `training` says.
    - *Replicas.* Under a distribution strategy the moving statistics take the statistics of the global batch,
      so all replicas hold the same numbers and what is saved is what every replica predicts with. Outputs in
      training use the replica's own batch, or with `synchronized=True` the global one.
    """

    def __init__(self, axis=-1, momentum=0.9, **kwargs):
        super().__init__(axis=axis, momentum=momentum, **kwargs)
        self.observing = False

    def call(self, inputs, training=None, mask=None):
        if not self._can_fuse(inputs, mask):
            return super().call(inputs, training=training, mask=mask)
        shape = tf.shape(inputs)
        images = inputs if len(inputs.shape) == 4 else inputs[:, None, None, :]
        if self.observing or (training and self.trainable):
            outputs, mean, variance = self._normalize_batch(images)
            self._update_moving_statistics(mean, variance)
        else:
            outputs, *_ = self._fused(images, self.moving_mean, self.moving_variance, is_training=False)
        return tf.reshape(outputs, shape) if len(inputs.shape) == 2 else outputs

    def _can_fuse(self, inputs, mask) -> bool:
        rank = len(inputs.shape)
        return (
            keras.backend.backend() == "tensorflow"
            and rank in (2, 4)
            and self.axis in (-1, rank - 1)
            and self.scale
            and self.center
            and not self.renorm
            and mask is None
        )

    def _fused(self, images, mean, variance, is_training: bool):
        return tf.raw_ops.FusedBatchNormV3(
            x=images,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=tf.convert_to_tensor(mean),
            variance=tf.convert_to_tensor(variance),
            epsilon=self.epsilon,
            exponential_avg_factor=1.0,
            data_format="NHWC",
            is_training=is_training,
        )

    def _normalize_batch(self, images):
        """Outputs (B, H, W, C), and mean and variance (C,) of the global batch."""
        replicas = tf.distribute.get_replica_context()
        alone = replicas is None or replicas.num_replicas_in_sync == 1
        if self.synchronized and not alone:
            floats = tf.cast(images, tf.float32)
            mean, variance = _global_moments(*tf.nn.moments(floats, (0, 1, 2)), replicas)
            outputs = tf.nn.batch_normalization(
                floats,
                mean,
                variance,
                tf.convert_to_tensor(self.beta),
                tf.convert_to_tensor(self.gamma),
                self.epsilon,
            )
            return tf.cast(outputs, images.dtype), mean, variance
        empty = tf.zeros((0,), tf.float32)
        outputs, mean, variance, *_ = self._fused(images, empty, empty, is_training=True)
        count = tf.cast(tf.size(images) // images.shape[-1], tf.float32)
        variance *= (count - 1) / count  # the fused kernel reports count/(count - 1) times the population's
        if not alone:
            mean, variance = _global_moments(mean, variance, replicas)
        return outputs, mean, variance

    def _update_moving_statistics(self, mean, variance) -> None:
        moving_mean = tf.convert_to_tensor(self.moving_mean)
        moving_variance = tf.convert_to_tensor(self.moving_variance)
        untouched = tf.reduce_all(moving_mean == 0) & tf.reduce_all(moving_variance == 1)
        momentum = 0.0 if self.observing else tf.where(untouched, 0.0, self.momentum)
        self.moving_mean.assign(moving_mean * momentum + mean * (1 - momentum))
        self.moving_variance.assign(moving_variance * momentum + variance * (1 - momentum))


def _global_moments(mean, variance, replicas):
    """Moments over all replicas' batches of equal size: E[x] and E[x^2] are averaged."""
    moments = tf.concat([mean, variance + mean**2], axis=0)
    mean, square = tf.split(replicas.all_reduce(tf.distribute.ReduceOp.MEAN, moments), 2)
    return mean, tf.maximum(square - mean**2, 0.0)


@keras.saving.register_keras_serializable("keras_cnn")
class LayerScale(keras.layers.Layer):
    """x * gamma, one trainable gamma a channel that begins at `initial` (Touvron et al. 2021, arXiv:2103.17239)."""

    def __init__(self, initial: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.initial = initial

    def build(self, input_shape):
        constant = keras.initializers.Constant(self.initial)
        self.gamma = self.add_weight(shape=(input_shape[-1],), initializer=constant, name="gamma")

    def call(self, inputs):
        return inputs * ops.cast(self.gamma, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial": self.initial}


@keras.saving.register_keras_serializable("keras_cnn")
class StochasticDepth(keras.layers.Dropout):
    """In training, zero the whole residual branch of an image with probability `rate`; the rest grow by 1 / (1 - rate).

    (B, H, W, C) in and out. Huang et al. 2016, arXiv:1603.09382, section 3, scaled as in `timm`'s drop path.
    """

    def __init__(self, rate: float, **kwargs):
        super().__init__(
            rate, noise_shape=(None, 1, 1, 1), **{k: v for k, v in kwargs.items() if k != "noise_shape"}
        )


@keras.saving.register_keras_serializable("keras_cnn")
class LocalResponseNormalization(keras.layers.Layer):
    """x / (k + alpha * sum of x^2 over n neighboring channels)^beta, (B, H, W, C) in and out, in float32 inside.

    Krizhevsky et al. 2012, section 3.3, with its k = 2, n = 5, alpha = 1e-4, beta = 0.75.
    """

    def call(self, inputs):
        squares = ops.square(ops.cast(inputs, "float32"))
        padded = ops.pad(squares, [[0, 0], [0, 0], [0, 0], [2, 2]])
        total = sum(padded[..., start : start + inputs.shape[-1]] for start in range(5))
        return ops.cast(ops.cast(inputs, "float32") * (2 + 1e-4 * total) ** -0.75, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape
