"""VGG (Simonyan & Zisserman 2014, https://arxiv.org/abs/1409.1556, table 1), as published and tunable.

Blocks of 3x3 convolutions, each closed by a 2x2 max pool, then dense layers. VGG16 at 224x224x3:

    block1  2 x conv 64   -> 112x112x64        block4  3 x conv 512 -> 14x14x512
    block2  2 x conv 128  -> 56x56x128         block5  3 x conv 512 -> 7x7x512
    block3  3 x conv 256  -> 28x28x256         flatten 25,088 - fc1 4,096 - fc2 4,096 - classes

138,357,544 parameters with 1,000 classes. At 32x32x3 the last block gives 1x1x512.
"""

from collections.abc import Sequence

import keras

from keras_cnn.errors import InputError
from keras_cnn.models.blocks import dense_block, logits, vgg_block

# convolutions in each of the five blocks, and the size of the last kernel in each: configurations A to E of the paper
VARIANTS = {
    "vgg11": ((1, 1, 2, 2, 2), (3, 3, 3, 3, 3)),
    "vgg13": ((2, 2, 2, 2, 2), (3, 3, 3, 3, 3)),
    "vgg16_c": ((2, 2, 3, 3, 3), (3, 3, 1, 1, 1)),
    "vgg16": ((2, 2, 3, 3, 3), (3, 3, 3, 3, 3)),
    "vgg19": ((2, 2, 4, 4, 4), (3, 3, 3, 3, 3)),
}
FILTERS = (64, 128, 256, 512, 512)


def vgg(
    x: keras.KerasTensor,
    *,
    classes: int,
    style: dict,
    blocks: int = 3,
    convolutions: int = 2,
    width: int = 32,
    growth: float = 2.0,
    dense: Sequence[int] = (128,),
) -> keras.KerasTensor:
    """Tunable VGG: (B, H, W, C) images -> (B, classes) logits.

    blocks: number of blocks, each of which halves the image. convolutions: in every block.
    width: filters of the first block. growth: each block has `growth` times the filters of the one before,
    rounded. dense: units of each hidden dense layer. style: the four arguments that all blocks share.
    """
    filters = [max(1, round(width * growth**block)) for block in range(blocks)]
    return _stack(x, [convolutions] * blocks, [3] * blocks, filters, dense, classes, style)


def published_vgg(
    x: keras.KerasTensor, *, classes: int, style: dict, variant: str, dense: Sequence[int] = (4096, 4096)
) -> keras.KerasTensor:
    """VGG11, 13, 16 or 19, or 16 in configuration C (`variant`).

    `dense=()` leaves only the classifier, the usual form for 32x32.
    """
    return _stack(x, *VARIANTS[variant], FILTERS, dense, classes, style)


def _stack(x, convolutions, last_kernels, filters, dense, classes, style) -> keras.KerasTensor:
    _check_size(x.shape, len(filters))
    for block, (count, last, width) in enumerate(
        zip(convolutions, last_kernels, filters, strict=True), start=1
    ):
        # (B, H / 2^block, W / 2^block, width)
        x = vgg_block(x, width, count, last_kernel_size=last, name=f"block{block}", **style)
    x = keras.layers.Flatten(name="flatten")(x)
    for index, units in enumerate(dense, start=1):
        x = dense_block(x, units, name=f"fc{index}", **style)
    return logits(x, classes)


def _check_size(shape, blocks: int) -> None:
    side = min(shape[1:3])
    if side < 2**blocks:
        raise InputError(
            f"images of {shape[1]}x{shape[2]} are too small for {blocks} blocks, each of which halves them: "
            f"the shorter side must be at least {2**blocks}. Take at most {side.bit_length() - 1} blocks or "
            f"a larger --image_size."
        )
