"""Does a short run rank nets as a long one does? Twelve nets, half with batch normalization; stock and ours.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.batchnorm_short_runs [--data cifar10] [--short 190] [--long 1000]

Each net is trained for `--short` steps with Keras's BatchNormalization and with ours, and for `--long` steps with
ours. The figure is Spearman's rank correlation of the short runs' validation accuracies with the long runs'. Batch
128, AdamW, constant rate. Writes results/batchnorm_short_runs.json.
"""

import argparse
import itertools
import tempfile
from pathlib import Path
from unittest import mock

from benchmarks.nets import PLAIN
from benchmarks.result_files import result_options, write_result

BATCH = 128
NETS = [
    {"batch_norm": batch_norm, "learning_rate": rate, "options": {"width": width, "blocks": 4}}
    for batch_norm, rate, width in itertools.product((True, False), (3e-4, 2e-3, 1e-2), (8, 16))
]


def main(data: str, short: int, long: int) -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    from scipy.stats import spearmanr

    from keras_cnn.data.sources import load

    source, rows = load(data), []
    for net in NETS:
        accuracy = {
            "stock": _train(source, net, short, stock=True),
            "ours": _train(source, net, short),
            "long": _train(source, net, long),
        }
        rows.append({**net, **accuracy})
        print(f"{net}: " + ", ".join(f"{name} {value:.3f}" for name, value in accuracy.items()), flush=True)
    columns = {name: [row[name] for row in rows] for name in ("stock", "ours", "long")}
    correlations = {name: float(spearmanr(columns[name], columns["long"])[0]) for name in ("stock", "ours")}
    write_result("batchnorm_short_runs", {"correlations": correlations, "runs": rows})


def _train(source, net: dict, steps: int, stock: bool = False) -> float:
    """Validation accuracy after `steps` steps."""
    import keras
    import tensorflow as tf

    from keras_cnn.data.dataset import ImageData, Split
    from keras_cnn.models import blocks
    from keras_cnn.training.config import TrainSettings
    from keras_cnn.training.train import train_epochs

    layer = keras.layers.BatchNormalization if stock else blocks.BatchNormalization
    epochs, count = max(1, round(steps * BATCH / len(source.train))), min(steps * BATCH, len(source.train))
    part = Split(source.train.images[:count], source.train.labels[:count])
    data = ImageData(source.facts, part, source.validation, source.load_test)
    settings = TrainSettings(data=source.facts.name, batch_size=BATCH, epochs=epochs, **(PLAIN | net))
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(blocks, "BatchNormalization", layer):
        result = train_epochs(settings, data, Path(folder), strategy=tf.distribute.get_strategy())
    return result.history["val_accuracy"][-1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--short", type=int, default=190)
    parser.add_argument("--long", type=int, default=1000)
    options = parser.parse_args()
    main(options.data, options.short, options.long)
