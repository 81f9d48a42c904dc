"""Images a second of the training pipeline, with each augmentation: .venv/bin/python -m benchmarks.augmentation

32 x 32 x 3 pixels in batches of 128, on the processor; the median of several epochs after one to warm up, the
slowest and the fastest. Writes results/augmentation.json.
"""

import argparse
import time

import numpy as np

from benchmarks.result_files import result_options, spread, write_result
from keras_cnn.data.dataset import Split
from keras_cnn.tensorflow_import import import_tensorflow

IMAGES, SIDE, CLASSES, BATCH, REPETITIONS = 12_800, 32, 10, 128, 5
TOGETHER = ["flip+crop+cutout", "flip+crop+randaugment", "flip+crop+randaugment+mixup+cutmix"]


def main() -> None:
    import_tensorflow()
    from keras_cnn.data.augmentation.augment import AUGMENTATIONS

    random = np.random.default_rng(0)
    images = random.integers(0, 256, (IMAGES, SIDE, SIDE, 3), np.uint8)
    split = Split(images, random.integers(0, CLASSES, IMAGES))
    rows = []
    for name in ["none", *AUGMENTATIONS, *TOGETHER]:
        rows.append({"augmentation": name, **spread(measure(split, name))})
        print("{augmentation:36} {median:10,.0f} images/s".format(**rows[-1]), flush=True)
    write_result("augmentation", {"rows": rows})


def measure(split: Split, augmentation: str) -> list[float]:
    """Images a second of each epoch but the first."""
    from keras_cnn.data.pipeline import steps_per_epoch, training_batches

    batches = iter(
        training_batches(split, BATCH, epochs=1 + REPETITIONS, augmentation=augmentation, classes=CLASSES)
    )
    steps, speeds = steps_per_epoch(split, BATCH), []
    for _ in range(1 + REPETITIONS):
        started = time.perf_counter()
        for _ in range(steps):
            next(batches)
        speeds.append(steps * BATCH / (time.perf_counter() - started))
    return speeds[1:]


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()]).parse_args()
    main()
