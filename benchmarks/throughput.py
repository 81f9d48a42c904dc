"""Images per second of training: ours, stock Keras `fit` and PyTorch, on the same nets and batches.

    .venv/bin/pip install --group bench
    .venv/bin/python -m benchmarks.throughput [--net vgg6 vgg16 convnext] [--repetitions 3]

Every contestant runs in a process of its own, in turn, `repetitions` times: a first epoch that traces, then
epochs that count, 32x32x3 images, AdamW, input pipeline included. The table gives medians over all epochs with the
smallest and the largest. "limit" is the machine's matrix product (2048x2048) over what the net's multiplications
cost. Writes results/throughput.json.
"""

import argparse
import subprocess
import sys
import time
from importlib.metadata import version

import numpy as np

from benchmarks.nets import BATCH, CLASSES, CONVNEXT_BLOCKS, CONVNEXT_WIDTH, VGG6, VGG16
from benchmarks.result_files import result_options, spread, write_result

STEPS = {"vgg6": 40, "vgg16": 8, "convnext": 20}
EPOCHS = 4
GFLOP = {"vgg6": 0.234, "vgg16": 1.88, "convnext": 0.36}  # an image, forward and backward: 6 x multiply-adds
TORCH = ("eager", "channels_last", "compile", "bfloat16")
KERAS = ("stock", "stock_bfloat16", "ours", "ours_bfloat16")


def main(nets: list[str], repetitions: int) -> None:
    limits = {
        dtype: float(_output("throughput_torch", "matmul", dtype)[0]) for dtype in ("float32", "bfloat16")
    }
    print(f"matrix product: {limits['float32']:.0f} GFLOP/s float32, {limits['bfloat16']:.0f} bfloat16")
    rows = []
    for net in nets:
        found: dict[str, list[float]] = {kind: [] for kind in (*KERAS, *TORCH)}
        for _ in range(repetitions):
            for kind, speeds in found.items():
                module = "throughput" if kind in KERAS else "throughput_torch"
                own = ("--measure", net, kind) if kind in KERAS else (net, kind, str(EPOCHS), str(STEPS[net]))
                speeds += [float(line) for line in _output(module, *own)]
        rows += [_row(net, kind, speeds, limits) for kind, speeds in found.items() if speeds]
        for row in (row for row in rows if row["net"] == net):
            line = "{net:9s} {kind:15s} {median:7.0f} ({min:.0f} to {max:.0f}) images/s, {of_limit:.0%} of the limit"
            print(line.format(**row))
    write_result("throughput", {"torch": version("torch"), "matrix_product_gflops": limits, "rows": rows})


def _output(module: str, *arguments: str) -> list[str]:
    """The lines printed by a benchmark's module; none if it cannot run here (`torch.compile` needs a compiler)."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        print(f"{' '.join(arguments)} failed: {result.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return []
    return result.stdout.split()


def _row(net: str, kind: str, speeds: list[float], limits: dict[str, float]) -> dict:
    limit = limits["bfloat16" if "bfloat16" in kind else "float32"] / GFLOP[net]
    measured = spread(speeds)
    share = measured["median"] / limit
    return {"net": net, "kind": kind, **measured, "epochs": len(speeds), "of_limit": share}


def measure(net: str, kind: str) -> None:
    """Print the speed of each epoch but the first."""
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    import keras

    class Speed(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            if epoch:
                print(len(images) / (time.perf_counter() - self.started), flush=True)

    random = np.random.default_rng(0)
    images = random.integers(0, 256, (STEPS[net] * BATCH[net], 32, 32, 3), np.uint8)
    labels = random.integers(0, CLASSES, len(images))
    fit = _fit_stock if kind.startswith("stock") else _fit_ours
    fit(net, "mixed_bfloat16" if kind.endswith("bfloat16") else "float32", images, labels, Speed())


def _fit_ours(net, precision, images, labels, speed) -> None:
    from keras_cnn.data.dataset import Split
    from keras_cnn.data.pipeline import training_batches
    from keras_cnn.models.build import build_model
    from keras_cnn.models.spec import ModelSpec
    from keras_cnn.training.compile import compile_model
    from keras_cnn.training.config import TrainSettings
    from keras_cnn.training.strategy import get_strategy

    architecture, options = {
        "vgg6": ("vgg", {"blocks": 3, "convolutions": 2, "width": 32, "dense": [128]}),
        "vgg16": ("vgg16", {"dense": []}),
        "convnext": ("convnext", {"stages": 1, "depth": CONVNEXT_BLOCKS, "width": CONVNEXT_WIDTH}),
    }[net]
    changes = {"normalization": "zero_one", "precision": precision, "options": options}
    changes["activation"] = "gelu" if net == "convnext" else "relu"
    spec = ModelSpec(architecture, (32, 32, 3), CLASSES, **changes)
    settings = TrainSettings(optimizer="adamw", batch_size=BATCH[net], epochs=EPOCHS)
    with get_strategy().scope():
        model = build_model(spec)
        compile_model(model, settings, STEPS[net])
    batches = training_batches(Split(images, labels), BATCH[net], epochs=EPOCHS)
    model.fit(batches, epochs=EPOCHS, steps_per_epoch=STEPS[net], shuffle=False, verbose=0, callbacks=[speed])


def _fit_stock(net, precision, images, labels, speed) -> None:
    """As Keras's and tf.data's guides write it."""
    import keras
    import tensorflow as tf

    keras.config.set_dtype_policy(precision)
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images)).batch(BATCH[net])
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255), *_stock_layers(net)])
    model.add(keras.layers.Dense(CLASSES, activation="softmax", dtype="float32"))
    model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(dataset.prefetch(tf.data.AUTOTUNE), epochs=EPOCHS, verbose=0, callbacks=[speed])


def _stock_layers(net):
    import keras
    from keras import layers

    if net == "convnext":
        inputs = x = keras.Input((16, 16, CONVNEXT_WIDTH))
        for _ in range(CONVNEXT_BLOCKS):
            y = layers.DepthwiseConv2D(7, padding="same")(x)
            y = layers.LayerNormalization(epsilon=1e-6)(y)
            y = layers.Dense(4 * CONVNEXT_WIDTH, activation="gelu")(y)
            x = layers.Add()([x, layers.Dense(CONVNEXT_WIDTH)(y)])
        blocks = keras.Model(inputs, x)
        pool = [layers.GlobalAveragePooling2D(), layers.LayerNormalization(epsilon=1e-6)]
        return [layers.Conv2D(CONVNEXT_WIDTH, 2, 2), blocks, *pool]
    found, dense = [], [128] if net == "vgg6" else []
    for widths in VGG6 if net == "vgg6" else VGG16:
        for width in widths:
            found += [layers.Conv2D(width, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]
        found.append(layers.MaxPooling2D())
    found.append(layers.Flatten())
    for units in dense:
        found += [layers.Dense(units), layers.BatchNormalization(), layers.ReLU()]
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--net", nargs="+", default=list(BATCH), choices=list(BATCH))
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--measure", nargs=2, metavar=("NET", "KIND"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure)
    else:
        main(options.net, options.repetitions)
