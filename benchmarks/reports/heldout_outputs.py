"""Reports from issue trackers, kept for evaluation: outputs, losses, initial weights and frozen layers."""

import keras
import tensorflow as tf
from keras import initializers, layers, optimizers

from benchmarks.reports.images import mnist, unit
from benchmarks.reports.nets import compiled
from benchmarks.reports.report import report


@report("logits_expected", source="https://github.com/NaJaeMin92/pytorch-DANN/issues/7")
def softmax_layer_under_a_loss_that_has_one(fixed):
    stack = [keras.Input((28, 28, 1))]
    for width in (32, 48):
        stack += [layers.Conv2D(width, 5, padding="same"), layers.ReLU(), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(100, activation="relu"), layers.Dense(100, activation="relu")]
    model = keras.Sequential([*stack, layers.Dense(10, activation=None if fixed else "softmax")])
    x, y = unit(mnist())
    loss = tf.nn.softmax_cross_entropy_with_logits  # of Keras, this loss would take the values before softmax
    return compiled(model, loss, optimizers.SGD(0.01, momentum=0.9)), (x, keras.utils.to_categorical(y, 10))


@report("relu_output", source="https://github.com/pytorch/examples/pull/117")
def rectified_logits_in_an_example(fixed):
    stack = [keras.Input((28, 28, 1)), layers.Conv2D(10, 5), layers.MaxPooling2D(), layers.ReLU()]
    stack += [layers.Conv2D(20, 5), layers.SpatialDropout2D(0.5), layers.MaxPooling2D(), layers.ReLU()]
    stack += [layers.Flatten(), layers.Dense(50, activation="relu"), layers.Dropout(0.5), layers.Dense(10)]
    stack += [] if fixed else [layers.ReLU()]
    sgd = optimizers.SGD(0.01, momentum=0.5)
    return compiled(
        keras.Sequential([*stack, layers.Softmax()]), "sparse_categorical_crossentropy", sgd
    ), unit(mnist())


@report("constant_kernel", source="https://github.com/tensorflow/models/issues/1529")
def random_weights_commented_out(fixed):
    def given():
        return initializers.RandomNormal(stddev=0.01) if fixed else "zeros"

    stack = [keras.Input((28, 28, 1)), layers.Flatten()]
    stack.append(layers.Dense(64, activation="tanh", kernel_initializer=given()))
    model = keras.Sequential([*stack, layers.Dense(10, activation="softmax", kernel_initializer=given())])
    return compiled(model, optimizer=optimizers.Adam(1e-3)), unit(mnist())


@report("all_frozen", source="https://github.com/keras-team/keras/issues/2506")
def every_layer_of_the_digits_example_frozen(fixed):
    given = {"activation": "relu", "trainable": fixed}
    inputs = keras.Input((28, 28, 1))
    x = layers.Conv2D(32, 3, **given)(inputs)
    x = layers.Dropout(0.25)(layers.MaxPooling2D()(layers.Conv2D(32, 3, **given)(x)))
    x = layers.Dropout(0.5)(layers.Dense(128, **given)(layers.Flatten()(x)))
    outputs = layers.Dense(10, activation="softmax", trainable=fixed)(x)
    return compiled(keras.Model(inputs, outputs), optimizer="adadelta" if not fixed else "adam"), unit(
        mnist()
    )


@report(
    "initializer_too_large",
    "rate_too_high",
    "dead_units",
    source="https://github.com/MichalDanielDobrzanski/DeepLearningPython/issues/13",
)
def relu_put_into_a_net_made_for_sigmoid(fixed):
    def given():
        normal = initializers.RandomNormal(stddev=0.1 if fixed else 1.0)
        return {"activation": "relu", "kernel_initializer": normal, "bias_initializer": normal}

    x, y = unit(mnist())
    stack = [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(30, **given())]
    model = keras.Sequential([*stack, layers.Dense(10, **given())])
    sgd = optimizers.SGD(0.05 if fixed else 15.0)  # 0.01 and 3.0 for half the sum over 10 outputs
    return compiled(model, "mean_squared_error", sgd), (x, keras.utils.to_categorical(y, 10))
