"""Images a second of the training pipeline, with each augmentation: .venv/bin/python -m benchmarks.augmentation

32 x 32 x 3 pixels in batches of 128, on the processor; the median of several epochs after one to warm up, beside
the slowest. The last line is the same in JSON.
"""

import json
import statistics
import time

import numpy as np

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
    result = {}
    print(f"{'augmentation':36} {'images/s':>10} {'slowest':>10}")
    for name in ["none", *AUGMENTATIONS, *TOGETHER]:
        speeds = measure(split, name)
        result[name] = round(statistics.median(speeds))
        print(f"{name:36} {result[name]:10,} {min(speeds):10,.0f}", flush=True)
    print(json.dumps(result))


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
    main()
