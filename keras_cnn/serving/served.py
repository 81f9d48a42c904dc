"""Predictions of a SavedModel as a server makes them: with TensorFlow alone.

A script, run in a process of its own: served.py MODEL IMAGES.npy PROBABILITIES.npy. Keras and this
project cannot be imported in it, so that what passes here needs neither.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
for module in ("keras", "keras_cnn"):
    sys.modules[module] = None  # type: ignore[assignment]

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def main(model_path: str, images_path: str, output_path: str) -> None:
    model = tf.saved_model.load(model_path)  # kept in a name: its signatures do not keep it alive
    serve = model.signatures["serving_default"]
    images = np.load(images_path)
    together = serve(images=tf.constant(images))["probabilities"].numpy()
    alone = serve(images=tf.constant(images[:1]))["probabilities"].numpy()
    np.save(output_path, np.concatenate([together, alone]))


if __name__ == "__main__":
    main(*sys.argv[1:])
