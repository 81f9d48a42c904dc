"""What an exported SavedModel answers to: pixels, the bytes of files, and the question what its classes are called."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from keras_cnn.data.value_range import PIXELS, rescale
from keras_cnn.models.grad_cam import grad_cam
from keras_cnn.task import CLASSIFICATION, Task
from keras_cnn.training.evaluate import window_of

WHITE = 255.0
LUMA = [[0.299], [0.587], [0.114]]


def write_saved_model(
    model: keras.Model,
    classes: Sequence[str],
    path: str,
    whole_images: bool,
    dtype: str = "uint8",
    value_range: tuple[float, float] = PIXELS,
    task: Task = CLASSIFICATION,
) -> None:
    """Write `model` to the folder `path` with its signatures, all in inference mode.

    serving_default (`serve`): `images` of type `dtype` (B, H, W, C), in `value_range` -> `task.output` float32:
        `probabilities`, or `values` of regression.
    serve_encoded: `encoded` (B,), the bytes of JPEG, PNG, BMP or GIF files of any size -> the same, and of
        single labels also `classes` (B,), the most probable. Only for models of 1 or 3 channels and `whole_images`: a
        window of a larger image must not be shrunk. Decoded pixels, 0..255, are scaled into a `value_range` of float32.
    grad_cam: `images` and `classes` int32 (B,) -> `maps` float32 (B, h, w): see `grad_cam`. Of single labels, where the
        model has feature maps.
    labels: nothing -> `labels` (K,), the names of the classes or values.
    """
    archive, images = _archive(model, dtype, task)
    names = tf.constant([name.encode(errors="backslashreplace") for name in classes])
    if whole_images and model.input_shape[3] in (1, 3):
        archive.add_endpoint(
            "serve_encoded",
            _encoded(model, names, None if dtype == "uint8" else value_range, task),
            input_signature=[tf.TensorSpec((None,), tf.string, name="encoded")],
        )
    if task == CLASSIFICATION and (maps := grad_cam(model)):
        archive.add_endpoint(
            "grad_cam",
            lambda images, classes: {"maps": maps(images, classes)},
            input_signature=[images, tf.TensorSpec((None,), tf.int32, name="classes")],
        )
    archive.add_endpoint("labels", lambda: {"labels": names}, input_signature=[])
    archive.write_out(path, verbose=False)


def write_plain_model(model: keras.Model, path: str, dtype: str) -> None:
    """Write `model` to the folder `path` with `serving_default` alone, as `write_saved_model` has it for classes."""
    archive, _ = _archive(model, dtype, CLASSIFICATION)
    archive.write_out(path, verbose=False)


def _archive(model: keras.Model, dtype: str, task: Task) -> tuple[keras.export.ExportArchive, tf.TensorSpec]:
    """(what is to be written, with the endpoint `serve`; the images that it takes)."""
    archive = keras.export.ExportArchive()
    archive.track(model)
    images = tf.TensorSpec(model.input_shape, dtype, name="images")
    archive.add_endpoint(
        "serve", lambda images: {task.output: model(images, training=False)}, input_signature=[images]
    )
    return archive, images


def _encoded(model: keras.Model, names: tf.Tensor, float_range: tuple[float, float] | None, task: Task):
    shape = model.input_shape[1:]

    def serve(encoded):
        pixels = tf.map_fn(
            lambda content: decode_and_resize(content, shape),
            encoded,
            fn_output_signature=tf.TensorSpec(shape, tf.uint8),
        )
        if float_range is not None:
            pixels = rescale(tf.cast(pixels, tf.float32), PIXELS, float_range)
        outputs = {task.output: model(pixels, training=False)}
        if task == CLASSIFICATION and not window_of(model):
            outputs["classes"] = tf.gather(names, tf.argmax(outputs[task.output], axis=-1))
        return outputs

    return serve


def decode_and_resize(content: tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
    """Bytes of a file -> uint8 `shape`, (H, W, 1 or 3), as `data.decode` makes it, but for rounding by one.

    Alpha is laid on white; of an animation the first frame counts. EXIF orientation is not looked at.
    """
    height, width, channels = shape
    values = tf.cast(_rgba(content), tf.float32)
    alpha = values[..., 3:] / WHITE
    values = tf.round(values[..., :3] * alpha + WHITE * (1 - alpha))
    if channels == 1:  # ITU-R 601-2, as in Pillow; what is gray stays as it is
        values = tf.round(tf.tensordot(values, tf.constant(LUMA), 1))
    resized = tf.image.resize(values, (height, width), "bilinear", antialias=True)
    return tf.ensure_shape(tf.cast(tf.round(resized), tf.uint8), shape)


def _rgba(content: tf.Tensor) -> tf.Tensor:
    """uint8 (H, W, 4); what knows no alpha is opaque."""

    def opaque(pixels):
        return tf.pad(tf.ensure_shape(pixels, (None, None, 3)), [[0, 0], [0, 0], [0, 1]], constant_values=255)

    return tf.case(
        [
            (_has_alpha(content), lambda: tf.io.decode_png(content, channels=4)),
            # the exact transform is that of Pillow, with which training images are read
            (
                tf.io.is_jpeg(content),
                lambda: opaque(tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")),
            ),
        ],
        default=lambda: opaque(tf.io.decode_image(content, channels=3, expand_animations=False)),
    )


def _has_alpha(content: tf.Tensor) -> tf.Tensor:
    """Whether a file is a PNG whose alpha TensorFlow reads: of a palette without transparency it makes it up."""
    png = tf.strings.substr(content, 0, 4) == b"\x89PNG"
    palette = tf.strings.substr(content, 25, 1) == b"\x03"  # IHDR's color type
    transparent = tf.shape(tf.strings.split(content, "tRNS"))[0] > 1
    return png & (~palette | transparent)
