"""Is the rate that `lr-find` suggests near the best one? Eight pairs of a net and a data set.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.lr_find

For each pair the range test suggests a rate; then the net is trained from the same weights at rates from 1e-4 to 1,
a factor of sqrt(10) apart, with the default optimizer and schedule. The best rate has the lowest validation loss of
its last epoch. Writes results/lr_find.json.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.result_files import result_options, spread, write_result

RATES = [10 ** (exponent / 2) for exponent in range(-8, 1)]
NETS = {
    "vgg": {},
    "vgg without batch norm": {"batch_norm": False},
    "vgg of tanh, glorot, no batch norm": {
        "batch_norm": False,
        "activation": "tanh",
        "kernel_initializer": "glorot_uniform",
    },
    "vgg by sgd": {"optimizer": "sgd", "weight_decay": 5e-4},
}
DATA = {"digits": 6, "cifar10": 2}  # epochs
IMAGES = 6000  # of a larger data set


def main() -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    from keras_cnn.training.config import TrainSettings

    rows = []
    for data, epochs in DATA.items():
        for name, changes in NETS.items():
            options = {"width": 16, "convolutions": 1}
            settings = TrainSettings(data=data, epochs=epochs, options=options, **changes)
            rows.append({"net": name, "data": data, **_pair(settings)})
            line = "{data:8s} {net:36s} suggested {suggested:.1e}  best {best:.1e}  ratio {ratio:5.2f}"
            print(line.format(**rows[-1]), flush=True)
    ratios = [row["ratio"] for row in rows]
    near = sum(1 / 3 <= ratio <= 3 for ratio in ratios)
    write_result(
        "lr_find", {"pairs": len(rows), "within_factor_3": near, "ratio": spread(ratios), "rows": rows}
    )


def _pair(settings) -> dict:
    from keras_cnn.data.dataset import Split
    from keras_cnn.data.sources import load
    from keras_cnn.training.lr_finder import range_test
    from keras_cnn.training.strategy import get_strategy
    from keras_cnn.training.train import Diverged, train_epochs

    data, strategy = load(**settings.load_arguments()), get_strategy(1)
    part = slice(None, IMAGES)
    data = replace(data, train=Split(data.train.images[part], data.train.labels[part]))
    settings = settings.resolved(data.facts)
    found = range_test(settings, data, strategy)
    losses = []
    for rate in RATES:
        with TemporaryDirectory() as directory:
            try:
                result = train_epochs(
                    replace(settings, learning_rate=rate), data, Path(directory), strategy=strategy
                )
                losses.append(result.history["val_loss"][-1])
            except Diverged:
                losses.append(math.inf)
    best = RATES[losses.index(min(losses))]
    suggested = found.suggested or math.nan
    return {
        "suggested": suggested,
        "best": best,
        "ratio": suggested / best,
        "swept": dict(zip(map("{:.0e}".format, RATES), losses, strict=True)),
        "rates": found.rates,
        "losses": found.losses,
    }


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()]).parse_args()
    main()
