"""How long until a net classifies 80 % of CIFAR-10's test images: `train` with its defaults, and plain Keras.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.time_to_accuracy [--seeds 3]

Both train the default VGG (6 convolutions of 32, 64 and 128 filters, dense 128, batch normalization) with a
one-cycle schedule, label smoothing and mirrored images, on the same 45,000 images. Plain Keras is what its guides
show: float32, Keras's layers and optimizer, an autotuned tf.data pipeline, `fit`. Each is given one epoch more, with
a schedule of that length from new weights, until it gets there; what counts is the seconds of that training, tracing
and validation included. Every run is a process of its own. Writes results/time_to_accuracy.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.result_files import result_options, spread, write_result

GOAL = 0.80
FIRST, LAST = 2, 8  # epochs


def main(seeds: int) -> None:
    rows = []
    for seed in range(seeds):
        for kind in ("stock", "ours"):
            for epochs in range(FIRST, LAST + 1):
                row = {"kind": kind, "seed": seed, "epochs": epochs, **_run(kind, seed, epochs)}
                print(
                    "{kind:5s} seed {seed}  {epochs} epochs  {seconds:6.1f} s  {accuracy:.4f}".format(**row),
                    flush=True,
                )
                if row["accuracy"] >= GOAL:
                    rows.append(row)
                    break
    found = {kind: _summary([row for row in rows if row["kind"] == kind]) for kind in ("stock", "ours")}
    write_result("time_to_accuracy", {"goal": GOAL, **found})


def _summary(rows: list[dict]) -> dict:
    return {
        "seconds": [row["seconds"] for row in rows],
        "epochs": [row["epochs"] for row in rows],
        "accuracy": spread([row["accuracy"] for row in rows]),
    }


def _run(kind: str, seed: int, epochs: int) -> dict:
    command = [sys.executable, "-m", "benchmarks.time_to_accuracy", "--measure", kind, str(seed), str(epochs)]
    return json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    )


def measure(kind: str, seed: int, epochs: int) -> None:
    """Print the seconds of the training and the accuracy on test as JSON."""
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    from keras_cnn.data.sources import load

    data = load("cifar10")
    train = {"stock": _train_stock, "ours": _train_ours}[kind]
    predict, seconds = train(data, seed, epochs)
    test = data.load_test()
    accuracy = float((predict(test).argmax(1) == test.labels).mean())
    print(json.dumps({"seconds": seconds, "accuracy": accuracy}))


def _train_ours(data, seed, epochs):
    from keras_cnn.training.config import TrainSettings
    from keras_cnn.training.evaluate import predict
    from keras_cnn.training.make_model import best_model
    from keras_cnn.training.strategy import get_strategy
    from keras_cnn.training.train import train_epochs

    settings = TrainSettings(data="cifar10", seed=seed, epochs=epochs).resolved(data.facts)
    directory, started = Path(tempfile.mkdtemp()), time.perf_counter()
    train_epochs(settings, data, directory, strategy=get_strategy())
    seconds = time.perf_counter() - started
    return lambda test: predict(best_model(settings, data.facts, directory), test), seconds


def _train_stock(data, seed, epochs):
    """The defaults of TrainSettings in plain Keras."""
    import keras
    import tensorflow as tf
    from keras import layers

    from keras_cnn.training.config import TrainSettings

    started = time.perf_counter()
    settings = TrainSettings()
    keras.utils.set_random_seed(seed)
    batch, classes = settings.batch_size, len(data.facts.classes)
    normalize = layers.Normalization(mean=data.facts.mean, variance=data.facts.variance)
    model = keras.Sequential([keras.Input(data.facts.shape), normalize])
    for width in (32, 64, 128):
        for _ in range(2):
            model.add(layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal"))
            model.add(layers.BatchNormalization())
            model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(128, kernel_initializer="he_normal"))
    model.add(layers.BatchNormalization())
    model.add(layers.ReLU())
    model.add(layers.Dense(classes, activation="softmax"))
    steps = len(data.train) // batch
    peak, first = settings.learning_rate, round(0.3 * epochs * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        peak / 25, epochs * steps - first, warmup_target=peak, warmup_steps=first
    )
    optimizer = {"muon": keras.optimizers.Muon, "adamw": keras.optimizers.AdamW}[settings.optimizer]
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)
    model.compile(optimizer(schedule, weight_decay=settings.weight_decay), loss, metrics=["accuracy"])

    def pairs(split):
        return tf.data.Dataset.from_tensor_slices((split.images, split.labels))

    def flip_invariant(image, label):
        return tf.image.random_flip_left_right(image), tf.one_hot(label, classes)

    batches = pairs(data.train).shuffle(len(data.train)).map(flip_invariant, tf.data.AUTOTUNE)
    validation = pairs(data.validation).map(lambda image, label: (image, tf.one_hot(label, classes)))
    model.fit(
        batches.batch(batch, drop_remainder=True).prefetch(tf.data.AUTOTUNE),
        validation_data=validation.batch(2 * batch),
        epochs=epochs,
        verbose=0,
    )
    return lambda test: model.predict(test.images, verbose=0), time.perf_counter() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--measure", nargs=3, metavar=("KIND", "SEED", "EPOCHS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], int(options.measure[1]), int(options.measure[2]))
    else:
        main(options.seeds)
