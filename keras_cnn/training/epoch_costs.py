"""What each epoch of a run took: time, memory, and the learning rate at its end.

They stand beside the metrics, which are the same in a run that was interrupted.
"""

from pathlib import Path
from typing import TypedDict

import keras
import psutil
import tensorflow as tf

from keras_cnn.errors import InputError
from keras_cnn.records import read_record
from keras_cnn.training.run_directory import SECONDS


class EpochCost(TypedDict):
    """epoch: its number, from 1. seconds: validation and files included. learning_rate: after its last step.

    memory: bytes of the process. gpu_memory: the most bytes of the first GPU so far; None without one.
    """

    epoch: int
    seconds: float
    learning_rate: float
    memory: int
    gpu_memory: int | None


def epoch_cost(model: keras.Model, epoch: int, seconds: float) -> EpochCost:
    """That of the epoch that ends now."""
    gpu = None
    if tf.config.list_logical_devices("GPU"):
        gpu = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return {
        "epoch": epoch,
        "seconds": seconds,
        "learning_rate": float(
            tf.convert_to_tensor(model.optimizer.learning_rate)
        ),  # also of a mirrored variable
        "memory": psutil.Process().memory_info().rss,
        "gpu_memory": gpu,
    }


def read_costs(directory: Path) -> list[EpochCost]:
    """Those of the run in `directory` so far; none of older runs, or if the file is damaged."""
    try:
        costs = read_record(directory / SECONDS).get("epochs", [])
    except InputError:
        return []
    return costs if isinstance(costs, list) else []
