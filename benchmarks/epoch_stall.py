"""How much longer an epoch takes than its steps: stock Keras fit on a stock tf.data pipeline, and ours.

    .venv/bin/python -m benchmarks.epoch_stall [--repetitions 3] [--epochs 4]

A small VGG trains epochs of several lengths. The steps are timed from the first batch's end to the last's, and
extrapolated by one step; what an epoch takes beyond them is the stall at its end. Both run without validation
and callbacks, alternating in one process. Writes results/epoch_stall.json.
"""

import argparse
import statistics
import time

import numpy as np

from benchmarks.result_files import result_options, spread, write_result

STEPS = (10, 40, 160, 400)
BATCH = 64


def main(repetitions: int, epochs: int) -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    rows = []
    for steps in STEPS:
        measured: dict[str, list[tuple[float, float]]] = {"stock": [], "ours": []}
        for _ in range(repetitions):
            for kind, found in measured.items():
                found += _measure(kind, steps, epochs)
        rows += [_row(steps, kind, found) for kind, found in measured.items()]
        for row in rows[-2:]:
            line = "{steps:4d} steps {seconds:5.2f} s  {pipeline:5s} median {median:.3f} (min {min:.3f}, max {max:.3f})"
            print(line.format(**row))
    write_result("epoch_stall", {"rows": rows})


def _row(steps: int, kind: str, measured: list[tuple[float, float]]) -> dict:
    ratios, seconds = zip(*measured, strict=True)
    return {
        "steps": steps,
        "pipeline": kind,
        "seconds": statistics.median(seconds),
        **spread(ratios),
        "epochs": len(ratios),
    }


def _measure(kind: str, steps: int, epochs: int) -> list[tuple[float, float]]:
    """(epoch time over the sum of its steps, epoch time in seconds) of every epoch but the first, which traces."""
    import keras
    import tensorflow as tf

    from keras_cnn.data.dataset import Split
    from keras_cnn.data.pipeline import training_batches
    from keras_cnn.models.build import build_model
    from keras_cnn.models.spec import ModelSpec

    class Clock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.epochs = []

        def on_epoch_begin(self, epoch, logs=None):
            self.epochs.append({"start": time.perf_counter(), "ends": []})

        def on_train_batch_end(self, batch, logs=None):
            self.epochs[-1]["ends"].append(time.perf_counter())

        def on_epoch_end(self, epoch, logs=None):
            self.epochs[-1]["end"] = time.perf_counter()

    random = np.random.default_rng(0)
    split = Split(
        random.integers(0, 256, (steps * BATCH, 32, 32, 3), np.uint8), random.integers(0, 10, steps * BATCH)
    )
    spec = ModelSpec(
        "vgg", (32, 32, 3), 10, normalization="zero_one", options={"width": 8, "convolutions": 1}
    )
    model, clock = build_model(spec), Clock()
    model.compile("adam", "sparse_categorical_crossentropy")
    arguments = {"epochs": epochs, "verbose": 0, "callbacks": [clock]}
    if kind == "ours":
        batches = training_batches(split, BATCH, epochs=epochs, augmentation="flip+crop")
        model.fit(batches, steps_per_epoch=steps, shuffle=False, **arguments)
    else:
        model.fit(_stock(tf, split), shuffle=False, **arguments)
    return [(_ratio(epoch), epoch["end"] - epoch["start"]) for epoch in clock.epochs[1:]]


def _ratio(epoch: dict) -> float:
    ends = epoch["ends"]
    return (epoch["end"] - epoch["start"]) / ((ends[-1] - ends[0]) * len(ends) / (len(ends) - 1))


def _stock(tf, split):
    """The pipeline that tf.data's own guides write: the same flip and crop, an image at a time."""

    def change(image, label):
        image = tf.image.random_flip_left_right(image)
        padded = tf.image.resize_with_crop_or_pad(image, 40, 40)
        return tf.image.random_crop(padded, (32, 32, 3)), label

    dataset = tf.data.Dataset.from_tensor_slices((split.images, split.labels)).shuffle(10_000)
    return dataset.map(change, tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    main(options.repetitions, options.epochs)
