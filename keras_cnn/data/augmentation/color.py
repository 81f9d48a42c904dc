"""Operations on the colors of whole batches, with a separate factor for each image.

The four enhancements take and give float32 (B, H, W, C) in units of the pixels (0..255), not yet clipped, and
a factor (B, 1, 1, 1): 1 leaves the image as it is, 0 takes all of the property away, as in Pillow's `ImageEnhance`.
The other operations take and give uint8 and have Pillow's definitions (`ImageOps`).
"""

import tensorflow as tf

WHITE = 255
GRAY = 127  # of what is cut out or comes from outside: near the mean of photographs, as the papers fill it
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601
JITTER = 0.4


def color(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Brightness, contrast and saturation of each image, each times its own factor in [0.6, 1.4].

    images: (B, H, W, C), uint8, or float32 in 0..255.

    The jitter of Howard 2013 (arXiv:1312.5402) as in torchvision's `ColorJitter(0.4, 0.4, 0.4)`, in this order.
    A gray image stays gray.
    """
    factors = tf.random.stateless_uniform((3, tf.shape(images)[0], 1, 1, 1), seed, 1 - JITTER, 1 + JITTER)
    jittered = tf.cast(images, tf.float32)
    for enhance, factor in zip((brightness, contrast, saturation), tf.unstack(factors), strict=True):
        jittered = enhance(jittered, factor)
    return to_pixels(jittered, images.dtype)


def brightness(images: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """0 is black."""
    return images * factor


def contrast(images: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """0 is the image's mean gray everywhere."""
    return _blend(gray(tf.reduce_mean(images, [1, 2], keepdims=True)), images, factor)


def saturation(images: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """0 is the image in shades of gray; images of one channel have no saturation to change."""
    return images if images.shape[-1] == 1 else _blend(gray(images), images, factor)


def sharpness(images: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """0 is the image smoothed by Pillow's 3 x 3 kernel: 1/13 around, 5/13 in the middle."""
    box = tf.nn.avg_pool2d(
        images, 3, 1, "SAME"
    )  # the mean of pixels inside the image, so edges do not darken
    return _blend((9 * box + 4 * images) / 13, images, factor)


def gray(images: tf.Tensor) -> tf.Tensor:
    """The luma of float32 (B, H, W, C), as one channel."""
    return images if images.shape[-1] == 1 else tf.reduce_sum(images * LUMA, -1, keepdims=True)


def posterize(images: tf.Tensor, bits: int) -> tf.Tensor:
    """Keep the `bits` highest of each value's eight."""
    return tf.bitwise.bitwise_and(images, tf.constant(WHITE >> (8 - bits) << (8 - bits), tf.uint8))


def solarize(images: tf.Tensor, threshold: int) -> tf.Tensor:
    """Invert the values from `threshold` on."""
    return tf.where(images >= threshold, WHITE - images, images)


def autocontrast(images: tf.Tensor) -> tf.Tensor:
    """Stretch each channel of each image to 0..255; a channel of one value stays."""
    values = tf.cast(images, tf.float32)
    low = tf.reduce_min(values, [1, 2], keepdims=True)
    high = tf.reduce_max(values, [1, 2], keepdims=True)
    return tf.where(high > low, to_pixels((values - low) * (WHITE / tf.maximum(high - low, 1))), images)


def equalize(images: tf.Tensor) -> tf.Tensor:
    """Flatten the histogram of each channel of each image."""
    _, height, width, channels = images.shape
    levels = WHITE + 1
    values = tf.reshape(tf.cast(images, tf.int32), (-1, height * width, channels))
    places = tf.reshape(values + levels * tf.range(channels), (-1, height * width * channels))
    counts = tf.raw_ops.DenseBincount(input=places, size=levels * channels, weights=tf.constant([], tf.int32))
    counts = tf.reshape(counts, (-1, channels, levels))
    brightest = tf.gather(counts, tf.reduce_max(values, 1), batch_dims=2)[..., None]
    step = (height * width - brightest) // WHITE
    below = tf.cumsum(counts, axis=2, exclusive=True)
    spread = tf.minimum((below + step // 2) // tf.maximum(step, 1), WHITE)
    table = tf.where(step > 0, spread, tf.range(levels))  # too few pixels to spread: as it was
    equal = tf.gather(tf.reshape(table, (-1, levels * channels)), places, batch_dims=1)
    return tf.reshape(tf.cast(equal, tf.uint8), (-1, height, width, channels))


def to_pixels(values: tf.Tensor, dtype: tf.DType = tf.uint8) -> tf.Tensor:
    """Clipped to 0..255; rounded to uint8, or left as they are in a floating-point `dtype`."""
    if dtype != tf.uint8:
        return tf.clip_by_value(values, 0.0, float(WHITE))
    return tf.saturate_cast(tf.round(values), tf.uint8)


def _blend(nothing: tf.Tensor, images: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    return nothing + factor * (images - nothing)
