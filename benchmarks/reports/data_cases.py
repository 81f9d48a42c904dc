"""Mistakes in images, labels and masks."""

import keras
import numpy as np
from keras import layers

from benchmarks.reports.images import cifar, ellipses, mnist, unit
from benchmarks.reports.nets import compiled, convnet, segmenter
from benchmarks.reports.report import report


def _base(x: np.ndarray, y: np.ndarray) -> keras.Model:
    """A base that was trained on CIFAR-10 in -1..1, as bases for transfer are."""
    keras.utils.set_random_seed(0)
    base = keras.Sequential([keras.Input((32, 32, 3))], name="base")
    for width in (16, 32, 64):
        base.add(layers.Conv2D(width, 3, padding="same", use_bias=False))
        base.add(layers.BatchNormalization())
        base.add(layers.ReLU())
        base.add(layers.MaxPooling2D())
    base.add(layers.GlobalAveragePooling2D())
    whole = compiled(keras.Sequential([base, layers.Dense(10, activation="softmax")]))
    whole.fit(x / 127.5 - 1, y, epochs=8, verbose=0)
    base.trainable = False
    return base


@report("inputs_scaled_twice", "pretrained_inputs_differ")
def base_given_inputs_scaled_twice(fixed):
    x, y = cifar()
    x = x.astype("float32")
    inputs = keras.Input((32, 32, 3))
    scaled = layers.Rescaling(1 / 127.5, -1)(inputs)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(_base(x, y)(scaled, training=False)))
    return compiled(model), (x if fixed else x / 255, y)


@report("inputs_scaled_twice", "inputs_not_normalized")
def scaled_twice_from_scratch(fixed):
    x, y = unit(cifar())
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Rescaling(1 / 255), *convnet().layers])
    return compiled(model), (x * 255 if fixed else x, y)


@report("images_nearly_constant")
def integer_division(fixed):
    x, y = cifar()
    return compiled(convnet()), ((x / 255 if fixed else x // 255).astype("float32"), y)


@report("channels_first_images")
def channels_first(fixed):
    x, y = unit(cifar())
    if fixed:
        return compiled(convnet()), (x, y)
    keras.utils.set_random_seed(0)
    stack = [
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(padding="same"),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
    return compiled(keras.Sequential([keras.Input((3, 32, 32)), *stack])), (x.transpose(0, 3, 1, 2), y)


@report("imbalanced_classes")
def nineteen_to_one(fixed):
    x, y = unit(cifar(4000))
    y = np.where(y == 3, 1, 0)
    order = np.concatenate([np.flatnonzero(y == 1)[:60], np.flatnonzero(y == 0)[: 60 if fixed else 1140]])
    order = np.random.default_rng(0).permutation(order)
    return compiled(convnet(classes=1, final="sigmoid"), "binary_crossentropy"), (x[order], y[order])


@report("all_frozen")
def everything_frozen(fixed):
    model = convnet()
    model.trainable = fixed
    return compiled(model), unit(mnist_as_cifar())


def mnist_as_cifar():
    x, y = mnist()
    return np.repeat(np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0))), 3, -1), y


@report("labels_of_another_form")
def one_hot_for_one_unit(fixed):
    x, y = unit(cifar(4000))
    chosen = y < 2
    labels = keras.utils.to_categorical(y[chosen], 2)
    classes, final = (2, "softmax") if fixed else (1, "sigmoid")
    loss = "categorical_crossentropy" if fixed else "binary_crossentropy"
    return compiled(convnet(classes=classes, final=final), loss), (x[chosen], labels)


@report("labels_out_of_range")
def labels_from_one(fixed):
    x, y = unit(cifar())
    return compiled(convnet()), (x, y if fixed else y + 1)


@report("labels_unrelated")
def images_shuffled_alone(fixed):
    x, y = unit(mnist())
    order = np.arange(len(x)) if fixed else np.random.default_rng(0).permutation(len(x))
    return compiled(convnet((28, 28, 1))), (x[order], y)


@report("contradicting_labels")
def copies_in_several_classes(fixed):
    x, y = unit(cifar(1500))
    if fixed:
        return compiled(convnet()), (x, y)
    copies = np.random.default_rng(0).permutation(y)
    return compiled(convnet()), (np.concatenate([x, x]), np.concatenate([y, copies]))


@report("masks_of_other_images", "labels_unrelated")
def masks_shuffled(fixed):
    x, y = ellipses()
    order = np.arange(len(y)) if fixed else np.random.default_rng(0).permutation(len(y))
    return compiled(segmenter(), "binary_crossentropy"), (x, y[order])


@report("labels_out_of_range")
def masks_of_0_and_255(fixed):
    x, y = ellipses()
    return compiled(segmenter(), "binary_crossentropy"), (x, y if fixed else y * np.uint8(255))


@report("interpolated_masks", "labels_out_of_range")
def masks_resized_with_interpolation(fixed):
    x, y = ellipses()
    soft = (y[:, :-1, :-1].astype("float32") + y[:, 1:, :-1] + y[:, :-1, 1:] + y[:, 1:, 1:]) / 4
    soft = np.pad(soft, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="edge")
    labels = y[..., 0].astype("int32") if fixed else (soft[..., 0] * 255).astype("int32")
    return compiled(segmenter(classes=2, final="softmax")), (x, labels)
