"""A tf.data.Dataset or a keras.utils.PyDataset, read once into memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_cnn.errors import InputError, in_one_line


def is_batches(data: Any) -> bool:
    """Whether `data` is a tf.data.Dataset or a keras.utils.PyDataset, by what they can do: neither is imported."""
    return hasattr(data, "as_numpy_iterator") or hasattr(data, "num_batches")


def read_batches(data: Any, role: str) -> tuple[np.ndarray, np.ndarray]:
    """All images and labels of `data`.

    Args:
        data: a tf.data.Dataset of single examples (x, y) or of batches of such, or a PyDataset of batches; weights
            behind y are left out.
        role: name of the split, for messages.

    Returns:
        (images (N, ...), labels (N, ...)).

    Raises:
        InputError: if it never ends, yields anything else, or images of several sizes.
    """
    elements, batched = (
        _from_tensorflow(data, role) if hasattr(data, "as_numpy_iterator") else _batches(data, role)
    )
    images, labels = [], []
    for element in elements:
        images.append(np.asarray(element[0]))
        labels.append(np.asarray(element[1]))
    if not images:
        raise InputError(f"the {role} data yield nothing.")
    join = np.concatenate if batched else np.stack
    try:
        return join(images), join(labels)
    except ValueError as error:
        raise InputError(
            f"the {role} images or labels differ in shape ({in_one_line(error)}): resize the images to one size."
        ) from None


def _from_tensorflow(data: Any, role: str) -> tuple[Iterator[tuple], bool]:
    if int(data.cardinality()) == -1:
        raise InputError(f"the {role} data never end: leave out .repeat().")
    spec = data.element_spec
    if not isinstance(spec, tuple) or len(spec) < 2 or not all(hasattr(part, "shape") for part in spec[:2]):
        raise InputError(
            f"the {role} data must yield (x, y), images with their labels, not {in_one_line(spec)}."
        )
    return data.as_numpy_iterator(), _is_batched(*(part.shape for part in spec[:2]))


def _is_batched(x: Any, y: Any) -> bool:
    """Whether elements are batches; of three axes, (B, H, W) and (H, W, C) are distinguished by the labels."""
    if x.rank != 3:
        return x.rank == 4
    if y.rank == 2:  # rows (B, K) of a batch, or the mask (H, W) of an image
        return list(y) != list(x[:2])
    return y.rank == 1 and (x[0] is None or x[0] == y[0])


def _batches(data: Any, role: str) -> tuple[Iterator[tuple], bool]:
    count = data.num_batches
    if count is None:
        raise InputError(f"the {role} data never end: their num_batches is None.")

    def batches() -> Iterator[tuple]:
        for index in range(count):
            batch = data[index]
            if not isinstance(batch, tuple) or len(batch) < 2:
                raise InputError(f"the {role} data must yield batches (x, y), not a {type(batch).__name__}.")
            yield batch

    return batches(), True
