"""Reports from question sites, forums and courses: initial weights, activations and depth."""

import keras
from keras import initializers, layers, optimizers

from benchmarks.reports.images import cifar, mnist, unit
from benchmarks.reports.nets import compiled
from benchmarks.reports.report import report


@report(
    "initializer_too_large",
    "loss_far_above_chance",
    source="https://e-com-net.com/article/1281957349447188480.htm",
)
def normal_weights_of_deviation_1_under_relu(fixed):
    def given():
        normal = initializers.TruncatedNormal(stddev=0.1 if fixed else 1.0)
        return {"activation": "relu", "kernel_initializer": normal}

    stack = [keras.Input((28, 28, 1))]
    for width in (32, 64):
        stack += [layers.Conv2D(width, 5, padding="same", **given()), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(128, **given()), layers.Dropout(0.5)]
    last = layers.Dense(10, **(given() | {"activation": "softmax"}))
    return compiled(keras.Sequential([*stack, last]), optimizer=optimizers.Adam(1e-4)), unit(mnist())


@report(
    "initializer_too_large",
    "loss_far_above_chance",
    source="http://www.javashuo.com/article/p-fzvxgoti-kq.html",
)
def normal_weights_of_variance_a_tenth(fixed):
    def given():
        return "he_normal" if fixed else initializers.RandomNormal(stddev=0.1**0.5)

    stack = [keras.Input((32, 32, 3))]
    for width in (32, 32, 64):
        stack.append(layers.Conv2D(width, 3, padding="same", activation="relu", kernel_initializer=given()))
        stack.append(layers.MaxPooling2D())
    stack += [layers.Flatten(), layers.Dense(128, activation="relu", kernel_initializer=given())]
    stack.append(layers.Dense(10, activation="softmax", kernel_initializer=given()))
    return compiled(keras.Sequential(stack), optimizer=optimizers.SGD(0.01)), unit(cifar())


@report(
    "initializer_too_large",
    "saturated_units",
    source="https://stats.stackexchange.com/questions/286424/neural-network-success-after-changing-weights-initialization-strategy-whats",
)
def weights_between_0_and_1_under_sigmoid(fixed):
    def given():
        uniform = initializers.RandomUniform(-0.5 if fixed else 0.0, 0.5 if fixed else 1.0)
        return {"activation": "sigmoid", "kernel_initializer": uniform, "bias_initializer": uniform}

    x, y = unit(mnist())
    stack = [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(15, **given())]
    model = keras.Sequential([*stack, layers.Dense(10, **given())])
    sgd = optimizers.SGD(5.0)  # 0.5 for the sum over 10 outputs
    return compiled(model, "mean_squared_error", sgd), (x, keras.utils.to_categorical(y, 10))


@report(
    "constant_kernel",
    source="http://pullrequest.ru/11818227/neironnaya-set-odnim-skrytym-sloem-mozhet-byt-obuchena",
)
def two_layers_of_zeros(fixed):
    def given():
        return initializers.TruncatedNormal(stddev=0.1) if fixed else "zeros"

    hidden = layers.Dense(10, activation="sigmoid" if fixed else "softmax", kernel_initializer=given())
    last = layers.Dense(10, activation="softmax", kernel_initializer=given())
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), hidden, last])
    return compiled(model, optimizer=optimizers.SGD(0.5)), unit(mnist())


@report(
    "signal_fades",
    "initializer_too_small",
    source="https://midnight2104.github.io/2018/04/06/%E6%89%B9%E9%87%8F%E5%BD%92%E4%B8%80%E5%8C%96%E5%AE%9E%E4%BE%8B/",
)
def twenty_convolutions_without_normalization(fixed):
    stack = [keras.Input((28, 28, 1))]
    for depth in range(1, 20):
        stride = 2 if depth % 3 == 0 else 1
        stack.append(layers.Conv2D(2 * depth, 3, stride, padding="same", use_bias=not fixed))
        if fixed:
            stack.append(layers.BatchNormalization(momentum=0.9))
        stack.append(layers.ReLU())
    stack += [layers.Flatten(), layers.Dense(100, use_bias=not fixed)]
    stack += [layers.BatchNormalization(momentum=0.9)] if fixed else []
    model = keras.Sequential([*stack, layers.ReLU(), layers.Dense(10, activation="softmax")])
    return compiled(model, optimizer=optimizers.Adam(0.002)), unit(mnist())
