"""Reports from question sites, forums and courses: images, labels, masks and augmentation."""

import keras
import numpy as np
from keras import layers, optimizers

from benchmarks.reports.images import Arrays, cifar, ellipses, mnist, only, unit
from benchmarks.reports.nets import compiled, residual_net, unet
from benchmarks.reports.report import report


def _blog_net(side: int, classes: int, final: str) -> keras.Sequential:
    """Three convolutions without padding, a dense layer and dropout, as in a well-known tutorial on few images."""
    stack = [keras.Input((side, side, 3))]
    for width in (32, 32, 64):
        stack += [layers.Conv2D(width, 3), layers.Activation("relu"), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dropout(0.5)]
    return keras.Sequential([*stack, layers.Dense(classes, activation=final)])


@report(
    "labels_out_of_range",
    "too_few_outputs",
    source="https://newbedev.com/cnn-with-keras-accuracy-not-improving",
)
def three_kinds_of_images_for_one_sigmoid(fixed):
    x, y = unit(only(3, cifar(4000)))
    if fixed:
        labels = keras.utils.to_categorical(y, 3)
        return compiled(_blog_net(32, 3, "softmax"), "categorical_crossentropy", "rmsprop"), (x, labels)
    return compiled(_blog_net(32, 1, "sigmoid"), "binary_crossentropy", "rmsprop"), (x, y)


@report(
    "labels_out_of_range",
    "too_few_outputs",
    source="https://datascience.stackexchange.com/questions/38604/too-low-accuracy-on-mnist-dataset-using-a-neural-network",
)
def ten_digits_for_one_sigmoid(fixed):
    last = layers.Dense(10, activation="softmax") if fixed else layers.Dense(1, activation="sigmoid")
    stack = [keras.Input((28, 28, 1)), layers.Rescaling(1 / 255), layers.Flatten()]
    model = keras.Sequential([*stack, layers.Dense(64, activation="relu"), last])
    return compiled(model, "sparse_categorical_crossentropy" if fixed else "binary_crossentropy"), mnist()


@report(
    "labels_out_of_range",
    source="https://community.deeplearning.ai/t/can-not-achieve-desired-accuracy/436298",
)
def outputs_of_another_exercise(fixed):
    stack = [keras.Input((28, 28, 1))]
    for width in (32, 64):
        stack += [layers.Conv2D(width, 3, activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(256, activation="relu")]
    model = keras.Sequential([*stack, layers.Dense(10 if fixed else 3, activation="softmax")])
    return compiled(model, optimizer=optimizers.Adam(0.001)), unit(mnist())


@report(
    "inputs_not_normalized",
    source="http://pullrequest.ru/10248037/cnn-keras-shodyatsya-odnomu-tomu-zhe-znacheniy-nezavisimo-vvoda",
)
def convolutions_on_raw_pixels(fixed):
    x, y = cifar()
    stack = [keras.Input((32, 32, 3))]
    for width in (32, 64):
        stack += [layers.Conv2D(width, 3, activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.25)]
    stack += [layers.Flatten(), layers.Dense(128, activation="relu")]
    model = keras.Sequential([*stack, layers.Dense(10, activation="softmax")])
    images = x.astype("float32") / (255 if fixed else 1)
    sgd = optimizers.SGD(0.01, momentum=0.9, nesterov=True)
    return compiled(model, "categorical_crossentropy", sgd), (images, keras.utils.to_categorical(y, 10))


@report(
    "labels_unrelated",
    source="https://community.deeplearning.ai/t/flattening-images-in-the-logistic-regression-assignment-in-course-1-week-2/149",
)
def images_flattened_across_the_batch(fixed):
    x, y = unit(mnist())
    flat = x.reshape(len(x), -1) if fixed else x.reshape(-1, len(x)).T
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(32, "relu")])
    model.add(layers.Dense(10, activation="softmax"))
    return compiled(model, optimizer=optimizers.SGD(0.1)), (flat.reshape(-1, 28, 28, 1), y)


@report(
    "augmentation_too_strong",
    source="https://www.mo4tech.com/image-classification-record-a-sinkhole-binary-classification-network-using-crossentropyloss-loss-has-been-at-0-69-do-not-converge-problem.html",
)
def small_crops_upside_down_in_other_colors(fixed):
    net = residual_net((32, 32, 3), classes=2)
    distortions = [layers.RandomFlip("vertical"), layers.RandomCrop(12, 12), layers.Resizing(32, 32)]
    distortions += [layers.RandomBrightness(0.5, (0, 1)), layers.RandomContrast(0.5, (0, 1))]
    model = keras.Sequential([keras.Input((32, 32, 3)), *([] if fixed else distortions), net])
    return compiled(model, optimizer=optimizers.Adam(0.001)), unit(only(2, cifar(4000)))


@report("labels_out_of_range", source="https://e-com-net.com/article/1645567613348175872.htm")
def masks_of_palette_images(fixed):
    x, y = ellipses(side=48)
    return compiled(unet((48, 48, 1)), "binary_crossentropy"), (x, y if fixed else y * np.uint8(38))


def _spots() -> Arrays:
    return ellipses(400, 48, (0.02, 0.04))


@report("imbalanced_classes", "one_class", source="https://datascience.stackexchange.com/q/129632")
def foreground_of_a_few_pixels(fixed):
    def weighted(y, outputs):
        cost = keras.losses.binary_crossentropy(y, outputs)
        return cost * (1 + 99 * keras.ops.cast(y[..., 0], "float32"))

    return compiled(unet((48, 48, 1)), weighted if fixed else "binary_crossentropy"), _spots()
