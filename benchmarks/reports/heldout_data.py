"""Reports from issue trackers, kept for evaluation: images, labels, masks, bases trained on other images."""

import keras
import numpy as np
from keras import layers, optimizers

from benchmarks.reports.images import ellipses, ellipses_of_two_kinds, membranes, mnist, unit
from benchmarks.reports.nets import compiled, unet
from benchmarks.reports.report import report


@report("labels_out_of_range", source="https://github.com/WeiTang114/MVCNN-TensorFlow/issues/8")
def labels_numbered_as_in_another_language(fixed):
    x, y = unit(mnist())
    stack = [keras.Input((28, 28, 1)), layers.Conv2D(24, 5, 2, activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(96, activation="relu"), layers.Dropout(0.5)]
    model = keras.Sequential([*stack, layers.Dense(10, activation="softmax")])
    return compiled(model, optimizer=optimizers.Adam(1e-3)), (x, y if fixed else y + 1)


@report("labels_out_of_range", source="https://github.com/cosmic-cortex/pytorch-UNet/issues/14")
def white_pixels_as_a_class_of_two(fixed):
    x, y = membranes(side=32, cells=4)
    labels = y[..., 0].astype("int32")
    return compiled(unet((32, 32, 1), classes=2, final="softmax")), (x, labels if fixed else labels * 255)


@report("one_class", source="https://github.com/milesial/Pytorch-UNet/issues/228")
def class_numbers_divided_by_255(fixed):
    x, y = ellipses_of_two_kinds()
    labels = (y if fixed else y / 255).astype("int32")
    return compiled(unet(classes=3, final="softmax")), (x, labels)


@report(
    "masks_of_other_images",
    "labels_unrelated",
    source="https://github.com/keras-team/keras/issues/7702",
)
def masks_read_in_another_order_of_files(fixed):
    x, y = membranes(side=32, cells=4)
    order = np.arange(len(y)) if fixed else np.array(sorted(range(len(y)), key=str))
    return compiled(unet((32, 32, 1)), "binary_crossentropy", optimizers.Adam(1e-3)), (x, y[order])


@report("labels_unrelated", source="https://github.com/keras-team/keras/pull/7520")
def sorted_labels_for_shuffled_images(fixed):
    x, y = unit(mnist())
    stack = [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(128, activation="relu")]
    model = keras.Sequential([*stack, layers.Dropout(0.5), layers.Dense(10, activation="softmax")])
    labels = keras.utils.to_categorical(y if fixed else np.sort(y), 10)
    order = np.random.default_rng(0).permutation(len(x)) if fixed else np.arange(len(x))
    return compiled(model, "categorical_crossentropy", "rmsprop"), (x[order], labels[order])


@report("imbalanced_classes", "one_class", source="https://github.com/WeidiXie/cell_counting_v2/issues/9")
def one_pixel_per_object(fixed):
    x, y = ellipses(400, 32, (0.1, 0.12))
    rows, columns = np.mgrid[:32, :32]
    masks = y[..., 0].astype("int64")
    center = [(masks * axis).sum((1, 2)) // masks.sum((1, 2)) for axis in (rows, columns)]
    dots = np.zeros_like(y)
    dots[np.arange(len(y)), center[0], center[1], 0] = 1

    def weighted(labels, outputs):
        cost = keras.losses.binary_crossentropy(labels, outputs)
        return cost * (1 + 99 * keras.ops.cast(labels[..., 0], "float32"))

    return compiled(unet(), weighted if fixed else "binary_crossentropy"), (x, dots)


@report("pretrained_inputs_differ", source="https://github.com/kentsommer/keras-inceptionV4/issues/5")
def base_given_pixels_between_minus_2_and_0(fixed):
    x, y = mnist(4000)
    expected = x.astype("float32") / 127.5 - 1
    stack = [keras.Input((28, 28, 1))]
    for width in (8, 16, 32):
        stack += [layers.Conv2D(width, 3, 2, padding="same", use_bias=False)]
        stack += [layers.BatchNormalization(momentum=0.9), layers.ReLU()]
    base = keras.Sequential([*stack, layers.GlobalAveragePooling2D()])
    whole = compiled(keras.Sequential([base, layers.Dense(10, activation="softmax")]))
    whole.fit(expected[:2500], y[:2500], epochs=15, verbose=0)
    base.trainable = False
    model = keras.Sequential([base, layers.Dropout(0.2), layers.Dense(10, activation="softmax")])
    given = expected if fixed else expected - 1
    return compiled(model, optimizer=optimizers.RMSprop(1e-3)), (given[2500:], y[2500:])
