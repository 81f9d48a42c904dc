"""Reports from issue trackers, kept for evaluation: learning rates, regularization and normalization."""

import keras
from keras import layers, optimizers

from benchmarks.reports.images import cifar, membranes, mnist, only, unit
from benchmarks.reports.nets import compiled, unet
from benchmarks.reports.report import report


@report("rate_too_high", source="https://github.com/cleverhans-lab/cleverhans/pull/220")
def adam_at_a_tenth_in_an_example(fixed):
    stack = [keras.Input((32, 32, 3)), layers.Dropout(0.2), layers.Conv2D(32, 8, 2, "same")]
    stack += [layers.ReLU(), layers.Conv2D(64, 6, 2), layers.ReLU(), layers.Conv2D(64, 5), layers.ReLU()]
    stack += [layers.Dropout(0.5), layers.Flatten(), layers.Dense(10), layers.Activation("softmax")]
    x, y = unit(cifar())
    adam = optimizers.Adam(0.001 if fixed else 0.1)
    return compiled(keras.Sequential(stack), "categorical_crossentropy", adam), (
        x,
        keras.utils.to_categorical(y, 10),
    )


@report("rate_too_high", source="https://github.com/ugent-korea/pytorch-unet-segmentation/issues/5")
def segmentation_that_ends_all_white(fixed):
    x, y = membranes(side=32, cells=4)
    adam = optimizers.Adam(1e-3 if fixed else 5e-2)
    return compiled(unet((32, 32, 1)), "binary_crossentropy", adam), (x, 1 - y)


@report("dropout_too_high", source="https://github.com/hunkim/DeepLearningZeroToAll/pull/205")
def share_to_keep_given_as_share_to_drop(fixed):
    rate = 0.3 if fixed else 0.7
    stack = [keras.Input((28, 28, 1))]
    for width in (16, 32, 64):
        stack += [layers.Conv2D(width, 3, padding="same", activation="relu")]
        stack += [layers.MaxPooling2D(padding="same"), layers.Dropout(rate)]
    stack += [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dropout(0.5)]
    model = keras.Sequential([*stack, layers.Dense(10, activation="softmax")])
    return compiled(model, optimizer=optimizers.Adam(0.001)), unit(mnist())


@report("schedule_decays_too_fast", source="https://github.com/keras-team/keras/issues/8086")
def decay_thought_of_by_epoch(fixed):
    steps = 80 if fixed else 1
    rate = optimizers.schedules.InverseTimeDecay(0.02, decay_steps=steps, decay_rate=0.5)
    stack = [keras.Input((28, 28, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Conv2D(32, 3, activation="relu"), layers.Flatten(), layers.Dense(64, activation="relu")]
    model = keras.Sequential([*stack, layers.Dense(10, activation="softmax")])
    return compiled(model, optimizer=optimizers.SGD(rate)), unit(mnist())


@report("batch_norm_disagrees", source="https://github.com/keras-team/keras/issues/6014")
def two_kinds_of_objects_in_a_few_steps(fixed):
    stack = [keras.Input((32, 32, 3)), layers.Conv2D(5, 4, 2, "same"), layers.LeakyReLU(0.2)]
    stack += [layers.Conv2D(10, 4, 2, "same"), layers.BatchNormalization(momentum=0.9 if fixed else 0.99)]
    stack += [layers.LeakyReLU(0.2), layers.Flatten(), layers.Dense(1, activation="sigmoid")]
    x, y = unit(only(2, cifar()))
    return compiled(keras.Sequential(stack), "binary_crossentropy"), (x, y)
