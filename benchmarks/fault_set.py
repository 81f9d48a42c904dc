"""The networks of `benchmarks.diagnosis`: random draws and seeded faults, from 26 families on two data sets.

Thresholds were set on seventeen development families; nine are held out: repvgg (parallel convolutions, summed),
fractal (paths of different depth), inverted (wide blocks between bottlenecks), mixer (dense layers over positions),
dilated (dilated convolutions), ghost (each convolution with a depthwise convolution of its output), inception_resnet
(concatenated branches, added), columns (one on the image, one on half its resolution) and csp (half of the channels
bypass each block).
"""

from dataclasses import replace
from functools import cache

import keras
import numpy as np
from keras import layers

from benchmarks.fault_nets import FAMILIES, Case

DEVELOPMENT = (
    *("plain", "dense", "vgg", "lenet", "alexnet", "nin", "allconv", "mobilenet", "resnet"),
    *("squeezenet", "inception", "densenet", "xception", "convmixer", "senet", "preact", "highway"),
)
FRESH_FAMILIES = ("ghost", "inception_resnet", "columns", "csp")  # drawn last, and examined once
HELD_OUT = ("repvgg", "fractal", "inverted", "mixer", "dilated", *FRESH_FAMILIES)
DEEPEST = {"plain": 30, "dense": 30, "vgg": 18, "lenet": 8, "alexnet": 12, "nin": 20}
DEEPEST |= {"allconv": 20, "mobilenet": 14, "resnet": 30, "squeezenet": 20, "inception": 14, "densenet": 16}
DEEPEST |= {"xception": 16, "convmixer": 10, "senet": 14, "preact": 20, "highway": 12}
DEEPEST |= {"repvgg": 20, "fractal": 18, "inverted": 10, "mixer": 16, "dilated": 18}
DEEPEST |= {"ghost": 16, "inception_resnet": 12, "columns": 14, "csp": 16}
ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "selu", "gelu")
INITIALIZERS = (
    "glorot_uniform",
    "he_normal",
    "lecun_normal",
    "orthogonal",
    "random_normal",
    "random_uniform",
)
OPTIMIZERS = {
    "sgd": (1e-3, 1e-2, 1e-1),
    "adam": (1e-4, 3e-4, 1e-3, 1e-2),
    "rmsprop": (1e-4, 3e-4, 1e-3, 1e-2),
}
FAULTS = (
    *(
        "labels_shuffled",
        "double_softmax",
        "no_softmax",
        "raw_inputs",
        "tiny_inputs",
        "dead_relu",
        "too_small",
    ),
    *("high_rate", "low_rate", "zero_init", "deep_sigmoid"),
)
SEEDED = tuple(fault for fault in FAULTS if fault != "deep_sigmoid")  # without which the same network learns
DRAWN = 24  # networks of each family without a seeded fault
TRAIN, VALIDATION, BATCH, CLASSES = 4000, 1000, 64, 10


def cases() -> list[Case]:
    """All networks; the same at every call."""
    random, found = np.random.default_rng(2026), []
    for family in DEVELOPMENT + HELD_OUT:
        found += [_draw(random, family) for _ in range(DRAWN)]
        found += [_faulty(random, family, fault) for fault in FAULTS]
    return [replace(case, number=number) for number, case in enumerate(found)]


def _draw(random, family: str) -> Case:
    return Case(
        0,
        family,
        str(random.choice(["mnist", "cifar10"])),
        int(np.exp(random.uniform(np.log(2), np.log(DEEPEST[family] + 1)))),
        int(random.choice([8, 16])) if family != "dense" else int(random.choice([32, 64])),
        str(random.choice(ACTIVATIONS)),
        str(random.choice(INITIALIZERS)),
        bool(random.random() < 0.25),
        str(random.choice(list(OPTIMIZERS))),
        float(10 ** random.uniform(-4, -1)),
    )


def _faulty(random, family: str, fault: str) -> Case:
    """A network that learns without its fault."""
    data = str(random.choice(["mnist", "cifar10"]))
    depth, width = int(random.integers(3, 7)), 64 if family == "dense" else 16
    activation = "relu" if fault == "dead_relu" else str(random.choice(["relu", "elu", "tanh"]))
    initializer = "glorot_uniform" if activation == "tanh" else "he_normal"
    case = Case(0, family, data, depth, width, activation, initializer, False, "adam", 1e-3, fault)
    if fault == "too_small":
        return replace(case, width=1)
    if fault == "high_rate":
        return replace(case, rate=float(10 ** random.uniform(-0.7, 0.5)))
    if fault == "low_rate":
        return replace(case, optimizer="sgd", rate=float(10 ** random.uniform(-6, -5)))
    if fault == "deep_sigmoid":
        return replace(case, activation="sigmoid", initializer="glorot_uniform", depth=12)
    return case


def without_fault(case: Case) -> Case:
    """The same network without its seeded fault."""
    return replace(case, fault="", width=max(case.width, 16), optimizer="adam", rate=1e-3)


@cache
def _images(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The first images at half resolution, float32 (N, H, W, C) in 0..255, and labels (N,)."""
    from keras_cnn.data.sources import load

    train = load(name).train
    x = train.images[: TRAIN + VALIDATION].astype("float32")
    x = (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4
    return x, train.labels[: TRAIN + VALIDATION].astype("int32")


def data(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(x, y, x_validation, y_validation), normalized unless the fault says otherwise."""
    x, y = _images(case.data)
    mean, deviation = x[:TRAIN].mean((0, 1, 2)), x[:TRAIN].std((0, 1, 2))
    if case.fault != "raw_inputs":
        x = (x - mean) / deviation
    if case.fault == "tiny_inputs":
        x = x / 255**2
    labels = y[:TRAIN]
    if case.fault == "labels_shuffled":
        labels = np.random.default_rng(case.number).permutation(labels)
    return x[:TRAIN], labels, x[TRAIN:], y[TRAIN:]


def build(case: Case) -> keras.Model:
    """The compiled network with its initial weights; the same at every call."""
    keras.utils.set_random_seed(case.number)
    inputs = keras.Input((14, 14, 1) if case.data == "mnist" else (16, 16, 3))
    x = FAMILIES[case.family](case, inputs)
    x = layers.Dense(CLASSES, name="predictions")(x)
    for _ in range({"no_softmax": 0, "double_softmax": 2}.get(case.fault, 1)):
        x = layers.Softmax()(x)
    model = keras.Model(inputs, x)
    optimizer = {
        "sgd": lambda: keras.optimizers.SGD(case.rate, momentum=0.9),
        "adam": lambda: keras.optimizers.Adam(case.rate),
        "rmsprop": lambda: keras.optimizers.RMSprop(case.rate),
    }[case.optimizer]()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
