"""U-Net (Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597, figure 1): a class for every pixel.

A contracting path of convolutions and pools, an expanding one of up-convolutions, and at each size a bridge from the
first to the second. As published, without padding, at 572x572x1:

    down1  2 x conv 64    -> 568x568x64     pool -> 284        up4  up-conv 512 -> 56x56    2 x conv 512 -> 52x52
    down2  2 x conv 128   -> 280x280x128    pool -> 140        up3  up-conv 256 -> 104x104  2 x conv 256 -> 100x100
    down3  2 x conv 256   -> 136x136x256    pool -> 68         up2  up-conv 128 -> 200x200  2 x conv 128 -> 196x196
    down4  2 x conv 512   -> 64x64x512      pool -> 32         up1  up-conv 64  -> 392x392  2 x conv 64  -> 388x388
    bottom 2 x conv 1024  -> 28x28x1024                        1x1 conv -> 388x388 x classes

31,030,658 parameters with two classes. `unet` pads instead, so that what comes out is as large as what went in.
"""

import keras
from keras import layers

from keras_cnn.errors import InputError
from keras_cnn.models.blocks import conv_block


def unet(
    x: keras.KerasTensor,
    *,
    classes: int,
    style: dict,
    depth: int = 4,
    convolutions: int = 2,
    width: int = 64,
    growth: float = 2.0,
    upsampling: str = "transpose",
) -> keras.KerasTensor:
    """Tunable U-Net: (B, H, W, C) images -> (B, H, W, classes) logits; H and W must divide by 2^depth.

    depth: pools, and up-convolutions. convolutions: 3x3 ones in every block. width: filters of the first block; each
    has `growth` times those of the one before, rounded. upsampling: `transpose` is a transposed 2x2 convolution,
    `resize` a nearest-neighbor enlargement and a 2x2 convolution, of as many parameters and without checkerboards
    (Odena et al. 2016, Distill). style: the arguments all blocks share; `dropout` follows the deepest block, and
    convolutions before batch normalization have no bias.
    """
    filters = [max(1, round(width * growth**level)) for level in range(depth + 1)]
    return _stack(x, filters, convolutions, upsampling, "same", classes, style)


def unet_paper(x: keras.KerasTensor, *, classes: int, style: dict) -> keras.KerasTensor:
    """The published net: no padding, so (B, H, W, C) images become (B, H - 184, W - 184, classes) logits."""
    return _stack(x, [64, 128, 256, 512, 1024], 2, "transpose", "valid", classes, style)


def _stack(x, filters, convolutions, upsampling, padding, classes, style) -> keras.KerasTensor:
    *levels, bottom = filters
    _check_size(x.shape, len(levels), convolutions, padding)
    block = {**style, "dropout": 0.0, "padding": padding, "use_bias": not style["batch_norm"]}
    bridges = []
    for level, width in enumerate(levels, start=1):
        x = _convolve(x, width, convolutions, f"down{level}", block)
        bridges.append(x)
        x = layers.MaxPooling2D(2, name=f"down{level}_pool")(x)
    x = _convolve(x, bottom, convolutions, "bottom", block)
    x = layers.Dropout(style["dropout"], name="bottom_drop")(x) if style["dropout"] else x
    for level, width in reversed(list(enumerate(levels, start=1))):
        x = _enlarge(x, width, upsampling, f"up{level}", style["kernel_initializer"])
        bridge = _crop(bridges.pop(), x, f"up{level}_crop")
        x = layers.Concatenate(name=f"up{level}_concat")([bridge, x])
        x = _convolve(x, width, convolutions, f"up{level}", block)
    return layers.Conv2D(classes, 1, dtype="float32", name="predictions")(x)


def _convolve(x, width: int, convolutions: int, name: str, block: dict) -> keras.KerasTensor:
    for index in range(1, convolutions + 1):
        x = conv_block(x, width, name=name, index=index, **block)
    return x


def _enlarge(x, width: int, upsampling: str, name: str, initializer: str) -> keras.KerasTensor:
    """(B, H, W, C) -> (B, 2H, 2W, width)."""
    if upsampling == "transpose":
        return layers.Conv2DTranspose(width, 2, 2, kernel_initializer=initializer, name=f"{name}_up")(x)
    x = layers.UpSampling2D(2, name=f"{name}_resize")(x)
    return layers.Conv2D(width, 2, padding="same", kernel_initializer=initializer, name=f"{name}_up")(x)


def _crop(bridge, x, name: str) -> keras.KerasTensor:
    """The center of `bridge` in the size of `x`."""
    margins = [(big - small) // 2 for big, small in zip(bridge.shape[1:3], x.shape[1:3], strict=True)]
    return layers.Cropping2D(tuple(margins), name=name)(bridge) if any(margins) else bridge


def output_side(side: int, depth: int, convolutions: int, padding: str) -> int | None:
    """Pixels that come out of `side` pixels, or None if some pool would cut an odd number or nothing is left."""
    lost = 0 if padding == "same" else 2 * convolutions
    for _ in range(depth):
        side -= lost
        if side < 2 or side % 2:
            return None
        side //= 2
    side -= lost
    for _ in range(depth):
        side = 2 * side - lost
    return side if side > 0 else None


def _check_size(shape, depth: int, convolutions: int, padding: str) -> None:
    for side in shape[1:3]:
        if output_side(side, depth, convolutions, padding) is None:
            # the smallest of a deep net without padding is 188
            allowed = [s for s in range(1, side + 400) if output_side(s, depth, convolutions, padding)]
            near = sorted(sorted(allowed, key=lambda s: abs(s - side))[:2])
            raise InputError(
                f"images of {shape[1]}x{shape[2]} do not fit {depth} pools, for {side} pixels would be cut in half "
                f"unevenly, or are too small; nearest are {' and '.join(map(str, near))}. Choose another size or depth."
            )
