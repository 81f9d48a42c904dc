"""Reports from question sites, forums and courses: outputs, losses, and bases trained on other images."""

import keras
import tensorflow as tf
from keras import layers, optimizers

from benchmarks.reports.images import cifar, mnist, only, unit
from benchmarks.reports.nets import compiled
from benchmarks.reports.report import report


@report(
    "softmax_of_one",
    "too_few_outputs",
    source="https://stats.stackexchange.com/questions/481881/convolutional-neural-network-fails-even-when-given-answer",
)
def one_softmax_unit_with_the_loss_of_many_classes(fixed):
    stack = [keras.Input((28, 28, 1)), layers.Conv2D(30, 3, activation="relu")]
    stack += [layers.MaxPooling2D(), layers.Conv2D(64, 3, activation="relu"), layers.Flatten()]
    model = keras.Sequential([*stack, layers.Dense(1, activation="sigmoid" if fixed else "softmax")])
    x, y = unit(mnist(2000))
    loss = "binary_crossentropy" if fixed else "categorical_crossentropy"
    return compiled(model, loss), (x, (y[:, None] >= 5).astype("float32"))


@report(
    "softmax_of_one",
    "too_few_outputs",
    source="https://geek-questions.imtqy.com/articles/1270335/index.html",
)
def one_softmax_unit_behind_batch_normalization(fixed):
    stack = [keras.Input((32, 32, 3))]
    for width in (16, 8):
        stack += [layers.Conv2D(width, 3, padding="same"), layers.BatchNormalization(momentum=0.9)]
        stack += [layers.LeakyReLU(), layers.MaxPooling2D(), layers.Dropout(0.2)]
    stack += [layers.Flatten(), layers.Dense(64), layers.BatchNormalization(momentum=0.9)]
    stack += [layers.LeakyReLU(), layers.Dense(1), layers.Activation("sigmoid" if fixed else "softmax")]
    return compiled(keras.Sequential(stack), "binary_crossentropy"), unit(only(2, cifar(4000)))


@report(
    "binary_loss_for_classes",
    source="http://pullrequest.ru/9781727/nuzhna-pomosch-vybore-funktsii-poteri",
)
def plain_gradient_descent_on_one_question_per_class(fixed):
    x, y = unit(mnist())
    stack = [keras.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.5)]
    model = keras.Sequential([*stack, layers.Dense(10, activation="softmax" if fixed else "sigmoid")])
    loss = "categorical_crossentropy" if fixed else "binary_crossentropy"
    return compiled(model, loss, optimizers.SGD(0.01)), (x, keras.utils.to_categorical(y, 10))


@report("logits_expected", source="http://shkangchun.com/post/22387.html")
def softmax_before_the_loss_of_logits(fixed):
    x, y = unit(mnist())
    last = layers.Dense(10, activation=None if fixed else "softmax", kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), last])
    loss = tf.nn.softmax_cross_entropy_with_logits  # of Keras, this loss would take the values before softmax
    return compiled(model, loss, optimizers.SGD(0.01)), (x, keras.utils.to_categorical(y, 10))


@report(
    "squared_error_for_classes",
    "rate_too_low",
    source="https://coderapp.vercel.app/answer/73462535",
)
def squared_error_at_a_usual_rate(fixed):
    x, y = unit(mnist())
    stack = [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(128, activation="sigmoid")]
    model = keras.Sequential([*stack, layers.Dense(10, activation="softmax")])
    loss = "categorical_crossentropy" if fixed else "mean_squared_error"
    sgd = optimizers.SGD(0.1 if fixed else 0.001)
    return compiled(model, loss, sgd), (x, keras.utils.to_categorical(y, 10))


@report(
    "pretrained_inputs_differ",
    source="https://9to5answer.com/keras-rescale-1-255-vs-preprocessing_function-preprocess_input-which-one-to-use",
)
def frozen_base_on_pixels_below_1(fixed):
    x, y = mnist(4000)
    expected = x.astype("float32") - 33  # the mean of the images of its training
    inputs = keras.Input((28, 28, 1))
    features = layers.BatchNormalization(momentum=0.9)(layers.Conv2D(16, 5, 2, use_bias=False)(inputs))
    for width in (16, 32):
        features = layers.Conv2D(width, 3, 2, padding="same", use_bias=False)(layers.ReLU()(features))
        features = layers.BatchNormalization(momentum=0.9)(features)
    base = keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.ReLU()(features)))
    whole = compiled(keras.Sequential([base, layers.Dense(10, activation="softmax")]))
    whole.fit(expected[:2500], y[:2500], epochs=15, verbose=0)
    base.trainable = False
    model = keras.Sequential([base, layers.Dense(1, activation="sigmoid")])
    given = expected if fixed else x.astype("float32") / 255
    return compiled(model, "binary_crossentropy"), (given[2500:], (y[2500:] >= 5).astype("uint8"))
