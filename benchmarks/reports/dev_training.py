"""Reports from question sites, forums and courses: learning rates."""

import keras
from keras import layers, optimizers

from benchmarks.reports.images import cifar, only, unit
from benchmarks.reports.nets import compiled
from benchmarks.reports.report import report


@report(
    "rate_too_high",
    source="https://datascience.stackexchange.com/questions/28481/reason-for-having-both-low-loss-and-same-predicted-class",
)
def gradient_descent_that_ends_at_one_answer(fixed):
    stack = [keras.Input((32, 32, 3))]
    for width in (32, 32, 64):
        stack += [layers.Conv2D(width, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(1, activation="sigmoid")]
    optimizer = optimizers.Adam(0.001) if fixed else optimizers.SGD(0.5, momentum=0.9)
    return compiled(keras.Sequential(stack), "binary_crossentropy", optimizer), unit(only(2, cifar(4000)))
