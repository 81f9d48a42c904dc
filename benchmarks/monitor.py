"""The time that HealthMonitor and the measurement of one batch take: the same training with and without, in turns.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.monitor [--repetitions 5] [--devices 1]

A VGG of 8 convolutions with batch normalization on 8,000 CIFAR-10 images, in batches of 64, eight epochs: 1,000 steps,
and the tracing of the step, which is part of every fit. tf.data's autotuning is off, whose stalls (`epoch_stall`) are
longer than what is measured. A first fit, which warms the process up, is not counted. The time of one batch is given
as a share of 1,500 steps. Writes results/monitor.json.
"""

import argparse
import time
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.result_files import result_options, spread, write_result

EPOCHS, IMAGES, SHORT = 8, 8000, 1500


def main(repetitions: int, devices: int) -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    from keras_cnn.data.sources import load
    from keras_cnn.diagnosis.diagnose import diagnose
    from keras_cnn.diagnosis.monitor import HealthMonitor
    from keras_cnn.models.build import build_model
    from keras_cnn.models.spec import ModelSpec
    from keras_cnn.training.strategy import get_strategy

    data, strategy = load("cifar10"), get_strategy(devices)
    x, y = data.train.images[:IMAGES].astype("float32"), data.train.labels[:IMAGES]
    settings = tf.data.Options()
    settings.autotune.enabled = False
    batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(IMAGES).batch(64).prefetch(2)
    batches = batches.with_options(settings)
    options = {"blocks": 4, "convolutions": 2, "width": 16, "dense": []}
    facts = data.facts
    spec = ModelSpec("vgg", facts.shape, 10, mean=facts.mean, variance=facts.variance, options=options)

    def compiled():
        with strategy.scope():
            model = build_model(spec)
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def seconds(watched: bool, epochs: int = EPOCHS) -> tuple[float, int]:
        model = compiled()
        with TemporaryDirectory() as folder:
            monitor = HealthMonitor((x, y), logs=folder)
            started = time.perf_counter()
            model.fit(batches, epochs=epochs, verbose=0, callbacks=[monitor] if watched else [])
            return time.perf_counter() - started, len(monitor.signals) if watched else 0

    rows = []
    seconds(True, 1)
    for _ in range(repetitions):
        (plain, _), (watched, times) = seconds(False), seconds(True)
        batch = diagnose(compiled(), (x, y)).seconds["one batch"] if devices == 1 else float("nan")
        rows.append({"plain": plain, "watched": watched, "measured": times, "batch": batch})
        share = watched / plain - 1
        print(
            f"plain {plain:.1f} s, watched {watched:.1f} s ({share:+.1%}), measured {times} times; "
            f"one batch {batch:.2f} s",
            flush=True,
        )
    step = median(row["plain"] for row in rows) / (EPOCHS * IMAGES / 64)
    write_result(
        "monitor",
        {
            "runs": len(rows),
            "overhead": spread([row["watched"] / row["plain"] - 1 for row in rows]),
            "step_milliseconds": 1000 * step,
            "batch_share": median(row["batch"] for row in rows) / (SHORT * step),
            "rows": rows,
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--devices", type=int, default=1)
    options = parser.parse_args()
    main(options.repetitions, options.devices)
