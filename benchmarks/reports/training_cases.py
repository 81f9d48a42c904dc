"""Mistakes in optimizers, learning rates, schedules and regularization."""

import keras
from keras import layers, optimizers, regularizers

from benchmarks.reports.images import cifar, mnist, unit
from benchmarks.reports.nets import compiled, convnet
from benchmarks.reports.report import report


@report("rate_too_low")
def adadelta_at_keras_default(fixed):
    model = convnet((28, 28, 1))
    return compiled(model, optimizer=optimizers.Adadelta(1.0 if fixed else 0.001)), unit(mnist())


@report("rate_too_low")
def adagrad_at_keras_default(fixed):
    model = convnet((28, 28, 1))
    return compiled(model, optimizer=optimizers.Adagrad(0.03 if fixed else 1e-4)), unit(mnist())


@report("rate_too_high")
def lion_at_adams_rate(fixed):
    model = convnet()
    return compiled(model, optimizer=optimizers.Lion(1e-4 if fixed else 1e-2)), unit(cifar())


@report("rate_too_low")
def sgd_without_momentum(fixed):
    model = convnet((28, 28, 1))
    return compiled(model, optimizer=optimizers.SGD(0.1 if fixed else 1e-4)), unit(mnist())


@report("rate_too_high")
def adam_at_a_hundredth(fixed):
    keras.utils.set_random_seed(0)
    stack = [keras.Input((32, 32, 3))]
    for width in (32, 64):
        stack.append(layers.Conv2D(width, 3, padding="same", activation="relu"))
        stack += [layers.Conv2D(width, 3, activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.25)]
    stack += [layers.Flatten(), layers.Dense(512, activation="relu"), layers.Dropout(0.5)]
    model = keras.Sequential([*stack, layers.Dense(10, activation="softmax")])
    return compiled(model, optimizer=optimizers.Adam(1e-3 if fixed else 1e-2)), unit(cifar())


@report("schedule_decays_too_fast")
def decay_at_every_step(fixed):
    rate = optimizers.schedules.ExponentialDecay(0.01, 1000 if fixed else 1, 0.9)
    return compiled(convnet(), optimizer=optimizers.SGD(rate, momentum=0.9)), unit(cifar())


@report("schedule_warms_up_too_long")
def warmup_longer_than_training(fixed):
    rate = optimizers.schedules.CosineDecay(
        0.0, 100_000, warmup_target=1e-3, warmup_steps=100 if fixed else 90_000
    )
    return compiled(convnet(), optimizer=optimizers.Adam(rate)), unit(cifar())


@report("regularization_too_strong")
def penalty_on_every_kernel(fixed):
    penalty = None if fixed else regularizers.l2(0.1)
    return compiled(convnet(kernel_regularizer=penalty)), unit(cifar())


@report("regularization_too_strong")
def l1_penalty(fixed):
    return compiled(convnet(kernel_regularizer=None if fixed else regularizers.l1(0.01))), unit(cifar())


@report("dropout_too_high")
def dropout_of_nine_tenths(fixed):
    keras.utils.set_random_seed(0)
    stack = [keras.Input((32, 32, 3))]
    for width in (16, 32, 32):
        stack += [layers.Conv2D(width, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
        stack.append(layers.Dropout(0.1 if fixed else 0.9))
    stack += [layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dropout(0.1 if fixed else 0.9)]
    return compiled(keras.Sequential([*stack, layers.Dense(10, activation="softmax")])), unit(cifar())


@report("weight_decay_too_strong")
def weight_decay_of_ten(fixed):
    adam = optimizers.AdamW(1e-3, weight_decay=1e-4 if fixed else 100.0)
    return compiled(convnet(), optimizer=adam), unit(cifar())
