"""Predictions of a SavedModel as a server makes them: with TensorFlow alone.

A script that runs in a separate process, and reads from standard input a JSON array: MODEL, IMAGES.npz, OUTPUTS.npz,
NAME. Keras and this project cannot be imported in it, so that what passes here needs neither. IMAGES.npz holds `images`
as the model takes them, and `pixels`, the same in 8 bits. NAME is that of the output.
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
for module in ("keras", "keras_cnn"):
    sys.modules[module] = None  # type: ignore[assignment]

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def main(model_path: str, images_path: str, output_path: str, output: str) -> None:
    model = tf.saved_model.load(model_path)  # kept in a name: its signatures do not keep it alive
    serve = model.signatures["serving_default"]
    with np.load(images_path) as saved:
        images, pixels = saved["images"], saved["pixels"]
    answers = {
        "together": serve(images=tf.constant(images)),
        "alone": serve(images=tf.constant(images[:1])),
    }
    if "serve_encoded" in model.signatures:
        files = tf.stack([tf.io.encode_png(image) for image in pixels])
        answers["encoded"] = model.signatures["serve_encoded"](encoded=files)
    np.savez(output_path, **{name: answer[output].numpy() for name, answer in answers.items()})


if __name__ == "__main__":
    main(*json.load(sys.stdin))
