"""A search space of tiny nets on 64 points of two classes, as a user would write it."""

import keras
import numpy as np


def points() -> tuple[np.ndarray, np.ndarray]:
    """(x float32 (64, 4), y int64 (64,)): the class is the sign of the first coordinate."""
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def build(hp) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(hp.Choice("units", [2, 4, 8]), activation="relu"),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(2),
        ]
    )
    model.compile(
        keras.optimizers.Adam(hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        run_eagerly=True,  # a trace takes longer than these trainings
    )
    return model


def scores(tuner) -> dict[str, tuple]:
    """Configuration and score of each trial."""
    return {
        name: (trial.hyperparameters.values, trial.status, trial.score)
        for name, trial in tuner.oracle.trials.items()
    }
