"""A multilayer perceptron: what a net is without convolutions.

28x28x1 images: flatten 784 - fc1 512 - classes. 407,050 parameters with 10 classes.
"""

from collections.abc import Sequence

import keras

from keras_cnn.models.blocks import dense_block, logits


def mlp(
    x: keras.KerasTensor, *, classes: int, style: dict, dense: Sequence[int] = (512,)
) -> keras.KerasTensor:
    """(B, H, W, C) images -> (B, classes) logits. dense: units of each hidden layer."""
    x = keras.layers.Flatten(name="flatten")(x)
    for index, units in enumerate(dense, start=1):
        x = dense_block(x, units, name=f"fc{index}", **style)
    return logits(x, classes)
