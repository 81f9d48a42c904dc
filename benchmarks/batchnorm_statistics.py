"""Which moving statistics of batch normalization agree with training, after how few steps.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.batchnorm_statistics [--data cifar10] [--epochs 4]

Moving statistics do not influence training, so one training serves all methods: the batch statistics of every step
are recorded, and after each epoch of 60 steps each method's average of them is put into the layers. The figure is
the accuracy on the same 2,048 training images with batch statistics minus that in inference mode, in points: the
largest and the mean over nets, rates and epochs. Writes results/batchnorm_statistics.json.
"""

import argparse
import itertools

import numpy as np

from benchmarks.nets import PLAIN
from benchmarks.result_files import result_options, write_result

STEPS, BATCH, IMAGES, REESTIMATED = 60, 128, 2048, 10
NETS = [
    {"activation": activation, "optimizer": optimizer, "learning_rate": rate}
    for activation in ("relu", "sigmoid")
    for optimizer, rate in (("adamw", 2e-3), ("adamw", 2e-2), ("sgd", 0.05), ("sgd", 0.5))
]


def average(momenta, history, start):
    """Fold the statistics of each step into `start`: m * so far + (1 - m) * new, with a momentum for each step."""
    value = start
    for momentum, new in zip(momenta, history, strict=True):
        value = momentum * value + (1 - momentum) * new
    return value


def debiased(momentum, history, start):
    """Adam's correction: the weight of the initial value is taken out."""
    total = average(itertools.repeat(momentum, len(history)), history, 0 * start)
    return total / (1 - momentum ** len(history))


METHODS = {
    "Keras: momentum 0.99 from (0, 1)": lambda h, s: average(itertools.repeat(0.99, len(h)), h, s),
    "0.9 from (0, 1)": lambda h, s: average(itertools.repeat(0.9, len(h)), h, s),
    "0.99, bias-corrected": lambda h, s: debiased(0.99, h, s),
    "warmed-up momentum t / (t + 9) up to 0.99": lambda h, s: average(
        [min(0.99, t / (t + 9)) for t in range(len(h))], h, s
    ),
    "0.9 from the first batch": lambda h, s: average([0.0] + [0.9] * (len(h) - 1), h, s),
}
AGAIN = f"re-estimated on {REESTIMATED} batches (keras-cnn)"


def main(data: str, epochs: int) -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    from keras_cnn.data.sources import load

    source = load(data)
    gaps: dict[str, list[float]] = {method: [] for method in (*METHODS, AGAIN)}
    for net in NETS:
        for epoch, found in enumerate(_train(source, net, epochs), start=1):
            for method, gap in found.items():
                gaps[method].append(gap)
            print(f"{net} epoch {epoch}: " + ", ".join(f"{gap:+.1f}" for gap in found.values()), flush=True)
    rows = [
        {"method": method, "largest": float(np.max(np.abs(g))), "mean": float(np.mean(np.abs(g)))}
        for method, g in gaps.items()
    ]
    write_result("batchnorm_statistics", {"rows": rows})


def _train(source, net: dict, epochs: int):
    """Yields, after each epoch, method -> gap in points."""
    import keras

    from keras_cnn.data.dataset import Split
    from keras_cnn.data.pipeline import training_batches
    from keras_cnn.models.build import build_model
    from keras_cnn.models.layers import BatchNormalization
    from keras_cnn.training.compile import compile_model
    from keras_cnn.training.config import TrainSettings

    keras.utils.set_random_seed(0)
    settings = TrainSettings(batch_size=BATCH, epochs=epochs, options={"width": 16}, **(PLAIN | net))
    model = build_model(settings.model_spec(source.facts))
    compile_model(model, settings, STEPS)
    layers = [layer for layer in model.layers if isinstance(layer, BatchNormalization)]
    start = [np.array([layer.moving_mean, layer.moving_variance]) for layer in layers]
    for layer in layers:
        layer.momentum = 0.0  # the moving statistics are then those of the last batch

    def last_batch():
        return [np.array([layer.moving_mean, layer.moving_variance]) for layer in layers]

    count = STEPS * BATCH
    split = Split(source.train.images[:count], source.train.labels[:count])
    shown = Split(split.images[:IMAGES], split.labels[:IMAGES])
    history = []
    for step, (images, labels) in enumerate(training_batches(split, BATCH, epochs=epochs), start=1):
        model.train_on_batch(images, labels)
        history.append(last_batch())
        if step % STEPS == 0:
            reference, again = _with_batch_statistics(model, shown, last_batch)
            candidates = {
                m: [f([h[i] for h in history], s) for i, s in enumerate(start)] for m, f in METHODS.items()
            }
            yield {
                method: 100 * (reference - _in_inference(model, layers, statistics, shown))
                for method, statistics in {**candidates, AGAIN: again}.items()
            }


def _with_batch_statistics(model, shown, last_batch):
    """(accuracy with each batch's own statistics, mean statistics of the first ten batches)."""
    right, found = 0, []
    for begin in range(0, IMAGES, BATCH):
        predicted = np.asarray(model(shown.images[begin : begin + BATCH], training=True)).argmax(1)
        right += (predicted == shown.labels[begin : begin + BATCH]).sum()
        found.append(last_batch())
    return right / IMAGES, [
        np.mean([f[i] for f in found[:REESTIMATED]], axis=0) for i in range(len(found[0]))
    ]


def _in_inference(model, layers, statistics, shown) -> float:
    for layer, (mean, variance) in zip(layers, statistics, strict=True):
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)
    return float(np.mean(model.predict(shown.images, batch_size=512, verbose=0).argmax(1) == shown.labels))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    main(options.data, options.epochs)
