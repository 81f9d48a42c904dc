"""A model of the user's own: built or given, checked, and with probabilities as outputs."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_cnn.errors import InputError, in_one_line
from keras_cnn.function_import import import_function, is_function_name
from keras_cnn.models.layers import BatchNormalization
from keras_cnn.task import CLASSIFICATION, Task

PREFIX = "own model "  # of what a run calls the architecture of a model that was given as an object
TINY = 1e-30  # below which a probability has no logarithm
OF_PROBABILITIES = ("softmax", "sigmoid", "hard_sigmoid")  # activations whose outputs are in 0..1


def is_own(architecture: str) -> bool:
    """Whether `architecture` is MODULE:FUNCTION, or stands for a model that was given as an object."""
    return architecture.startswith(PREFIX) or is_function_name(architecture)


def own_name(source: Any) -> str:
    """The architecture of a run with this keras.Model, or function that builds one."""
    return PREFIX + str(getattr(source, "name", None) or getattr(source, "__name__", "model"))


def own_stem(architecture: str) -> str:
    """An architecture as part of a file name: `own model my net` -> `my-net`, `my_nets:small` -> `small`."""
    name = architecture.removeprefix(PREFIX).rpartition(":")[2]
    return "".join(letter if letter.isalnum() or letter in "_-." else "-" for letter in name)


def build_own(
    source: keras.Model | Callable | str,
    input_shape: tuple[int, int, int],
    classes: int,
    options: dict,
    task: Task = CLASSIFICATION,
) -> keras.Model:
    """The model that `source` is or builds.

    Args:
        source: a keras.Model, a function `(input_shape, classes, **options) -> keras.Model`, or its MODULE:FUNCTION.
        input_shape: (H, W, C) of the images.
        classes: number of classes; of labels or values where `task` has no classes.
        options: further arguments of the function.
        task: of the data.

    Raises:
        InputError: if it is no model, or one that does not fit the images and classes.
    """
    if isinstance(source, str):
        source = import_function(source)
    if not isinstance(source, keras.Model):
        try:
            model = source(input_shape, classes, **options)
        except TypeError as error:
            raise InputError(
                f"the function does not take (input_shape, classes{''.join(f', {name}' for name in options)}): "
                f"{in_one_line(error)}."
            ) from error
    elif options:
        raise InputError(f"options={options!r} belong to a function that builds a model, not to a model.")
    else:
        model = source
    if not isinstance(model, keras.Model):
        raise InputError(f"the function returned a {type(model).__name__}: return a keras.Model.")
    _check(model, input_shape, classes, task)
    return model


def _check(model: keras.Model, input_shape: tuple[int, int, int], classes: int, task: Task) -> None:
    if not model.built and isinstance(model, keras.Sequential):
        model.build((None, *input_shape))
    inputs, outputs = (getattr(model, name, None) or [] for name in ("inputs", "outputs"))
    if len(inputs) != 1 or len(outputs) != 1:
        raise InputError(
            f"the model has {len(inputs)} inputs and {len(outputs)} outputs: give a Sequential or functional model of "
            "one each; wrap a subclassed one, keras.Model(x, net(x)) with x = keras.Input(shape)."
        )
    expected, width = tuple(inputs[0].shape[1:]), outputs[0].shape[-1]
    if len(expected) != 3 or any(
        size not in (None, own) for size, own in zip(expected, input_shape, strict=True)
    ):
        raise InputError(
            f"the model takes images {expected}, the data have {input_shape} (height, width, channels)."
        )
    if not task.class_ids:
        _check_rows(model, classes, task)
        return
    if len(outputs[0].shape) not in (2, 4) or (width != classes and (width, classes) != (1, 2)):
        raise InputError(
            f"the model's outputs are {tuple(outputs[0].shape)}: give one value for each of the {classes} classes, "
            "(batch, classes), or for masks (batch, height, width, classes)."
        )


def _check_rows(model: keras.Model, columns: int, task: Task) -> None:
    shape = tuple(model.outputs[0].shape)
    if shape[1:] != (columns,):
        raise InputError(
            f"the model's outputs are {shape}: {task.name} takes one for each of the {columns} {task.noun}, "
            f"(batch, {columns})."
        )
    if not model.compiled and _final_activation(model.outputs[0]) == "softmax":
        raise InputError(
            f"the model ends in a softmax, which makes the outputs of an image sum to 1: for {task.name} end it in "
            f"{'a sigmoid or in logits' if task.activation == 'sigmoid' else 'a layer without activation'}."
        )


def with_batch_statistics(model: keras.Model) -> keras.Model:
    """A copy in which `keras.layers.BatchNormalization` is ours, with the same weights and compiled in the same way.

    Its statistics are estimated anew before each validation (`training.batchnorm_statistics`); Keras's moving averages
    leave a net at chance for its first few hundred steps. `model` itself where nothing is to be replaced.
    """
    if not any(type(layer) is keras.layers.BatchNormalization for layer in model._flatten_layers()):
        return model

    def ours(layer: keras.Operation) -> keras.Operation:
        kind = BatchNormalization if type(layer) is keras.layers.BatchNormalization else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=ours, recursive=True)
    names = [[(weight.name, weight.shape) for weight in one.weights] for one in (copy, model)]
    assert names[0] == names[1], "weights are stored by their position"
    _copy_variables(model, copy)
    return copy


def _copy_variables(source: keras.Model, target: keras.Model) -> None:
    """Give `target` the weights of `source` and, if both are compiled, the state of its optimizer."""
    target.set_weights(source.get_weights())
    if source.compiled and source.optimizer.built:
        target.optimizer.build(target.trainable_variables)
        for new, old in zip(target.optimizer.variables, source.optimizer.variables, strict=True):
            new.assign(old)


def of_fixed_size(model: keras.Model, input_shape: tuple[int, int, int]) -> keras.Model:
    """`model` itself, or, if it takes images of any size, a copy for images of `input_shape`, compiled as it is."""
    if None not in model.inputs[0].shape[1:]:
        return model
    clone = keras.models.clone_model(model, input_tensors=keras.Input(input_shape, name="images"))
    copy = keras.Model(clone.inputs[0], clone.outputs[0], name=model.name)
    if model.compiled:
        copy.compile_from_config(model.get_compile_config())
    _copy_variables(model, copy)
    return copy


def probabilities_model(model: keras.Model) -> keras.Model:
    """The same layers and weights, ending in a softmax layer `probabilities`, float32, of one value a class.

    Outputs of a softmax or sigmoid are probabilities, all others logits; a single one is that of the second class.
    """
    if model.layers[-1].name == "probabilities":
        return model
    outputs = ops.cast(model.outputs[0], "float32")
    single, activation = outputs.shape[-1] == 1, _final_activation(model.outputs[0])
    if activation in ("softmax", "sigmoid"):
        parts = [1.0 - outputs, outputs] if single else [outputs]
        scores = [ops.log(ops.maximum(part, TINY)) for part in parts]
    else:
        scores = [ops.zeros_like(outputs), outputs] if single else [outputs]
    joined = ops.concatenate(scores, axis=-1) if single else scores[0]
    softmax = keras.layers.Activation("softmax", dtype="float32", name="probabilities")
    return keras.Model(model.inputs[0], softmax(joined), name=model.name)


def output_model(model: keras.Model, task: Task) -> keras.Model:
    """The same layers and weights, with what `task.meaning` says as float32 outputs.

    Of several labels, outputs of a sigmoid are their probabilities, all others logits. Values are as the model makes
    them.
    """
    if task.activation == "softmax":
        return probabilities_model(model)
    output = model.outputs[0]
    done = task.activation == "linear" or _final_activation(output) in OF_PROBABILITIES
    if done and output.dtype == "float32":
        return model
    last = keras.layers.Activation(
        "linear" if done else task.activation, dtype="float32", name=f"final_{task.output}"
    )
    return keras.Model(model.inputs[0], last(output), name=model.name)


def _final_activation(output: keras.KerasTensor) -> str:
    """The name of the activation that makes `output`; linear if there is none."""
    operation = output._keras_history.operation
    if isinstance(operation, keras.Model):
        return _final_activation(operation.outputs[0])
    if isinstance(operation, keras.layers.Softmax) or type(operation).__name__ in ("Softmax", "Sigmoid"):
        return type(operation).__name__.lower()
    found = getattr(getattr(operation, "activation", None), "__name__", "linear")
    passes = keras.layers.Dropout | keras.layers.Reshape | keras.layers.Activation | keras.layers.Identity
    if found == "linear" and isinstance(operation, passes):
        return _final_activation(operation.input)
    return found


def precision_of(model: keras.Model) -> str:
    """`mixed_bfloat16` or `mixed_float16` if a layer computes in it, else `float32`."""
    kinds = {getattr(layer, "compute_dtype", "float32") for layer in model.layers}
    return next((f"mixed_{kind}" for kind in ("bfloat16", "float16") if kind in kinds), "float32")
