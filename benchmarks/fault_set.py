"""The nets of `benchmarks.diagnosis`: drawn at random, and with seeded faults, of twelve families on two data sets.

Nine families are for development. squeezenet (narrow layers between wide ones), inception (branches side by side) and
densenet (every output is kept) are held out: no threshold was chosen on them.
"""

from dataclasses import dataclass, replace
from functools import cache

import keras
import numpy as np
from keras import layers

DEVELOPMENT = ("plain", "dense", "vgg", "lenet", "alexnet", "nin", "allconv", "mobilenet", "resnet")
HELD_OUT = ("squeezenet", "inception", "densenet")
DEEPEST = {"plain": 30, "dense": 30, "vgg": 18, "lenet": 8, "alexnet": 12, "nin": 20}
DEEPEST |= {"allconv": 20, "mobilenet": 14, "resnet": 30, "squeezenet": 20, "inception": 14, "densenet": 16}
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
SEEDED = tuple(fault for fault in FAULTS if fault != "deep_sigmoid")  # without them the same net learns
DRAWN = 24  # nets of each family without a seeded fault
TRAIN, VALIDATION, BATCH, CLASSES = 4000, 1000, 64, 10


@dataclass(frozen=True)
class Case:
    """A net, its data and its optimizer. depth: hidden layers. fault: a name of `FAULTS`, empty for a random draw."""

    number: int
    family: str
    data: str
    depth: int
    width: int
    activation: str
    initializer: str
    batch_norm: bool
    optimizer: str
    rate: float
    fault: str = ""
    skip: bool = False


def cases() -> list[Case]:
    """All nets, the same at every call."""
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
    """A net that would learn but for its fault."""
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
    """The same net without its seeded fault."""
    return replace(case, fault="", width=max(case.width, 16), optimizer="adam", rate=1e-3)


@cache
def _images(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The first images, halved, float32 (N, H, W, C) in 0..255, and labels (N,)."""
    from keras_cnn.data.sources import load

    train = load(name).train
    x = train.images[: TRAIN + VALIDATION].astype("float32")
    x = (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4
    return x, train.labels[: TRAIN + VALIDATION].astype("int32")


def data(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(x, y) to train on and (x, y) to validate on, normalized as the case wants it."""
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
    """The compiled net with its initial weights, the same at every call."""
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


def _layer(case: Case, x, index: int, kernel: int = 0, width: int = 0, strides: int = 1, branch: str = ""):
    """Layer `index` (from 1): a convolution, or without `kernel` a dense layer, then [batch norm and] activation.
    branch: sets the names of layers of one index apart."""
    last = case.fault == "dead_relu" and index == (case.depth + 1) // 2
    common = {
        "kernel_initializer": "zeros" if case.fault == "zero_init" else case.initializer,
        "bias_initializer": keras.initializers.Constant(-20.0) if last else "zeros",
        "use_bias": not case.batch_norm,
        "name": f"layer{index}{branch}",
    }
    width = width or case.width
    if kernel:
        y = layers.Conv2D(width, kernel, strides, padding="same", **common)(x)
    else:
        y = layers.Dense(width, **common)(x)
    if case.batch_norm:
        y = layers.BatchNormalization(momentum=0.9)(y)
    y = layers.Activation(case.activation)(y)
    return layers.Add()([x, y]) if case.skip and x.shape == y.shape else y


def _plain(case: Case, x):
    halved = {1 + case.depth // 3, 1 + 2 * case.depth // 3}
    for index in range(1, case.depth + 1):
        x = _layer(case, x, index, 3, strides=2 if index in halved else 1)
    return layers.GlobalAveragePooling2D()(x)


def _dense(case: Case, x):
    x = layers.Flatten()(x)
    for index in range(1, case.depth + 1):
        x = _layer(case, x, index)
    return x


def _vgg(case: Case, x):
    """Three blocks of 3x3 convolutions and a max pool, then a dense layer."""
    convolutions, index = max(1, case.depth - 1), 0
    for block in range(3):
        for _ in range(convolutions // 3 + (block < convolutions % 3)):
            index += 1
            x = _layer(case, x, index, 3, width=case.width * 2 ** min(block, 1))
        x = layers.MaxPooling2D(2)(x)
    return _layer(case, layers.Flatten()(x), index + 1, width=4 * case.width)


def _lenet(case: Case, x):
    """Two 5x5 convolutions with average pools, the rest dense."""
    for index in (1, 2):
        x = layers.AveragePooling2D(2)(_layer(case, x, index, 5, width=case.width * index))
    x = layers.Flatten()(x)
    for index in range(3, case.depth + 1):
        x = _layer(case, x, index, width=4 * case.width)
    return x


def _alexnet(case: Case, x):
    """A 5x5 convolution, overlapping pools, 3x3 convolutions, and for nets of more than three layers two dense ones."""
    dense = 2 if case.depth > 3 else 1
    for index in range(1, case.depth - dense + 1):
        x = _layer(case, x, index, 5 if index == 1 else 3, width=case.width * min(index, 2))
        if index in (1, 2):
            x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Flatten()(x)
    for index in range(max(1, case.depth - dense + 1), case.depth + 1):
        x = _layer(case, x, index, width=8 * case.width)
    return x


def _nin(case: Case, x):
    """3x3 convolutions, each followed by two of 1x1, pools after the first two groups, means over the image."""
    for index in range(1, case.depth + 1):
        x = _layer(case, x, index, 3 if index % 3 == 1 else 1, width=2 * case.width)
        if index in (3, 6):
            x = layers.MaxPooling2D(2)(x)
    return layers.GlobalAveragePooling2D()(x)


def _allconv(case: Case, x):
    """3x3 convolutions, every third with strides 2, two of 1x1 at the end, means over the image (Springenberg et al.,
    Striving for Simplicity, 2015)."""
    for index in range(1, case.depth + 1):
        strided = index in (3, 6)
        x = _layer(case, x, index, 3 if index <= max(1, case.depth - 2) else 1, strides=2 if strided else 1)
    return layers.GlobalAveragePooling2D()(x)


def _mobilenet(case: Case, x):
    """A convolution, then pairs of a depthwise and a 1x1 convolution (Howard et al., MobileNets, 2017)."""
    x = _layer(case, x, 1, 3, width=2 * case.width)
    for index in range(2, case.depth + 1):
        initializer = "zeros" if case.fault == "zero_init" else case.initializer
        x = layers.DepthwiseConv2D(
            3,
            2 if index in (3, 6) else 1,
            "same",
            depthwise_initializer=initializer,
            use_bias=not case.batch_norm,
        )(x)
        x = layers.BatchNormalization(momentum=0.9)(x) if case.batch_norm else x
        x = _layer(case, layers.Activation(case.activation)(x), index, 1, width=2 * case.width)
    return layers.GlobalAveragePooling2D()(x)


def _resnet(case: Case, x):
    """A convolution, then blocks of two with the identity, or a 1x1 convolution, around them (He et al., 2016)."""
    x = _layer(case, x, 1, 3)
    for index in range(2, case.depth + 1, 2):
        strides = 2 if index in (4, 8) else 1
        y = _layer(case, x, index, 3, strides=strides)
        y = _layer(case, y, index + 1, 3) if index < case.depth else y
        x = (
            layers.Conv2D(case.width, 1, strides, kernel_initializer=case.initializer)(x)
            if strides > 1
            else x
        )
        x = layers.Add()([x, y])
    return layers.GlobalAveragePooling2D()(x)


def _squeezenet(case: Case, x):
    """A convolution, then pairs of a narrow one of 1x1 and one of 1x1 beside one of 3x3 (Iandola et al., SqueezeNet,
    2016)."""
    x = _layer(case, x, 1, 3, width=2 * case.width)
    for index in range(2, case.depth + 1, 2):
        if index in (4, 8):
            x = layers.MaxPooling2D(2)(x)
        x = _layer(case, x, index, 1)
        if index < case.depth:
            sides = [_layer(case, x, index + 1, kernel, branch=f"_{kernel}") for kernel in (1, 3)]
            x = layers.Concatenate()(sides)
    return layers.GlobalAveragePooling2D()(x)


def _inception(case: Case, x):
    """A convolution, then modules of 1x1, 3x3 and 5x5 convolutions and a max pool side by side (Szegedy et al., Going
    Deeper with Convolutions, 2015)."""
    x = _layer(case, x, 1, 3)
    for index in range(2, case.depth + 1):
        if index in (3, 5):
            x = layers.MaxPooling2D(2)(x)
        sides = [_layer(case, x, index, kernel, branch=f"_{kernel}") for kernel in (1, 3, 5)]
        pooled = layers.MaxPooling2D(3, 1, "same")(x)
        x = layers.Concatenate()([*sides, _layer(case, pooled, index, 1, branch="_pool")])
    return layers.GlobalAveragePooling2D()(x)


def _densenet(case: Case, x):
    """3x3 convolutions, each of which is given the outputs of all before it, and 1x1 convolutions with a mean pool
    after the third and the sixth (Huang et al., DenseNet, 2017)."""
    x = _layer(case, x, 1, 3, width=2 * case.width)
    for index in range(2, case.depth + 1):
        if index in (4, 7):
            x = layers.AveragePooling2D(2)(_layer(case, x, index, 1, width=2 * case.width))
        else:
            x = layers.Concatenate()([x, _layer(case, x, index, 3)])
    return layers.GlobalAveragePooling2D()(x)


FAMILIES = {"plain": _plain, "dense": _dense, "vgg": _vgg, "lenet": _lenet, "alexnet": _alexnet, "nin": _nin}
FAMILIES |= {"allconv": _allconv, "mobilenet": _mobilenet, "resnet": _resnet}
FAMILIES |= {"squeezenet": _squeezenet, "inception": _inception, "densenet": _densenet}
