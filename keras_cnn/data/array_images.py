"""Arrays of images of any numeric type, as uint8 or float32 of a known value range."""

from typing import Any

import numpy as np

from keras_cnn.data.decode import resize
from keras_cnn.data.value_range import CONVENTIONS, PIXELS, SIGNED, find_value_range
from keras_cnn.errors import InputError, in_one_line

MOST_CHANNELS_FIRST = 4  # (N, 3, H, W) is taken for channels first up to so many
Range = tuple[float, float]


def check_images(images: Any, role: str) -> np.ndarray:
    """Images (N, H, W, C) of a numeric type and finite values.

    Args:
        images: (N, H, W) or (N, H, W, C), an array or what NumPy makes one of.
        role: name of the split, for messages.

    Raises:
        InputError: for other shapes and types, no images, and values that are NaN or infinite.
    """
    try:
        found = np.asarray(images)
    except (ValueError, TypeError) as error:  # lists of images of several sizes among them
        raise InputError(
            f"the {role} images make no array ({in_one_line(error)}): resize them to one size and stack them."
        ) from None
    if found.dtype.kind not in "biuf":
        hint = (
            "resize them to one size and stack them" if found.dtype == object else "convert them to float32"
        )
        raise InputError(
            f"the {role} images are of type {found.dtype}: {hint}. Allowed: bool, integers, floats."
        )
    if found.ndim not in (3, 4):
        raise InputError(f"the {role} images have shape {found.shape}: give (N, H, W) or (N, H, W, C).")
    found = found[..., None] if found.ndim == 3 else found
    if not found.size:
        raise InputError(f"the {role} images are empty: their shape is {found.shape}.")
    if found.shape[1] <= MOST_CHANNELS_FIRST < min(found.shape[2:]):
        raise InputError(
            f"the {role} images have shape {found.shape}, with channels first: move them to the end, "
            "np.moveaxis(x, 1, -1)."
        )
    _check_finite(found, role)
    return found


def _check_finite(images: np.ndarray, role: str) -> None:
    if images.dtype.kind != "f" or np.isfinite([images.min(), images.max()]).all():  # NaN makes both NaN
        return
    bad = [index for index, image in enumerate(images) if not np.isfinite(image).all()]
    raise InputError(
        f"{len(bad)} of {len(images)} {role} images hold NaN or infinite values, the first is number {bad[0]}: "
        "leave them out or correct them."
    )


def same_range(
    images: dict[str, np.ndarray], given: Range | None = None
) -> tuple[dict[str, np.ndarray], Range, tuple[str, ...]]:
    """The images of all splits in one type.

    Args:
        images: split -> (N, H, W, C); `train` is among them.
        given: the value range; None for that of the training images (`find_value_range`).

    Returns:
        (the images, uint8 if all are whole numbers of the range 0..255, else float32; their value range; notes).

    Raises:
        InputError: if the splits differ in type or scale, or values lie outside of the range.
    """
    floats = {role: part.dtype.kind == "f" for role, part in images.items()}
    for role in images:
        if floats[role] != floats["train"]:
            raise InputError(
                f"the {role} images are {_described(images[role])}, those of train {_described(images['train'])}: give "
                "all in the same type and scale."
            )
    train = images["train"]
    found = given or (PIXELS if train.dtype == np.uint8 else find_value_range(*_ends(train)))
    _check_range(images, found, given is not None)
    notes = () if given or found in (*CONVENTIONS, SIGNED) else (_range_note(found),)
    dtype = np.uint8 if found == PIXELS and not floats["train"] else np.float32
    return {role: part.astype(dtype, copy=False) for role, part in images.items()}, found, notes


def _range_note(found: Range) -> str:
    return (
        f"the images are taken to have values in {found[0]:g}..{found[1]:g}, as those of train do; value_range=(low, "
        "high) sets another range"
    )


def _check_range(images: dict[str, np.ndarray], found: Range, given: bool) -> None:
    """A range that was given is strict; of one that was found, the other splits may pass half its width."""
    if len(found) != 2 or not found[0] < found[1]:
        raise InputError(f"value_range={found!r} must be (low, high) with low below high, as in (0, 1).")
    slack = 0 if given else (found[1] - found[0]) / 2
    for role, part in images.items():
        low, high = _ends(part)
        if low < found[0] - slack or high > found[1] + slack:
            what = "value_range" if given else "the range of train"
            raise InputError(
                f"the {role} images are {_described(part)}, outside of {what}, {found[0]:g}..{found[1]:g}: "
                "scale all images in the same way, or give the value_range of all."
            )
        if found[1] >= PIXELS[1] and part.dtype.kind == "f" and high <= 1 and not given:
            raise InputError(
                f"the {role} images are {_described(part)}, those of train lie in {found[0]:g}..{found[1]:g}: scale "
                "all images in the same way."
            )


def _ends(images: np.ndarray) -> Range:
    return float(images.min()), float(images.max())


def _described(images: np.ndarray) -> str:
    low, high = _ends(images)
    return f"{images.dtype} in {low:g}..{high:g}"


def sized(images: np.ndarray, image_size: tuple[int, int] | None) -> np.ndarray:
    """The images, each resized to (height, width) `image_size`; None keeps them."""
    if image_size is None or images.shape[1:3] == image_size:
        return images
    return np.stack([resize(image, image_size) for image in images])
