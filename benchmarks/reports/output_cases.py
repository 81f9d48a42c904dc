"""Mistakes in outputs, losses and activations."""

import keras
from keras import layers, losses, ops

from benchmarks.reports.images import cifar, ellipses, unit
from benchmarks.reports.nets import compiled, convnet, segmenter
from benchmarks.reports.report import report


@report("softmax_wrong_axis")
def softmax_over_rows(fixed):
    x, y = ellipses()
    model = segmenter(classes=2, final=None)
    outputs = layers.Softmax(axis=-1 if fixed else 1)(model.output)
    return compiled(keras.Model(model.input, outputs)), (x, y[..., 0])


@report("probabilities_expected")
def logits_without_from_logits(fixed):
    loss = losses.SparseCategoricalCrossentropy(from_logits=fixed)
    return compiled(convnet(final=None), loss), unit(cifar())


@report("sigmoid_for_classes")
def sigmoids_for_exclusive_classes(fixed):
    return compiled(convnet(final="softmax" if fixed else "sigmoid")), unit(cifar())


@report("loss_not_finite_at_bounds", "diverged")
def log_of_zero(fixed):
    def loss(y, outputs):
        outputs = ops.clip(outputs, 1e-7, 1 - 1e-7) if fixed else outputs
        chosen = ops.take_along_axis(outputs, ops.cast(ops.reshape(y, (-1, 1)), "int32"), axis=-1)
        return -ops.log(chosen[:, 0])

    x, y = cifar()
    model = keras.Sequential([keras.Input((32, 32, 3)), *convnet().layers])
    return compiled(model, loss), (x.astype("float32"), y)


@report("values_overflow")
def exponential_in_hidden_layers(fixed):
    return compiled(convnet(activation="relu" if fixed else "exponential")), unit(cifar())


@report("softmax_of_one")
def softmax_of_one_unit(fixed):
    x, y = unit(cifar(4000))
    chosen = y < 2
    model = convnet(classes=1, final="sigmoid" if fixed else "softmax")
    return compiled(model, "binary_crossentropy"), (x[chosen], y[chosen])


@report("relu_output")
def relu_before_loss(fixed):
    return compiled(
        convnet(final=None if fixed else "relu"), losses.SparseCategoricalCrossentropy(from_logits=True)
    ), unit(cifar())
