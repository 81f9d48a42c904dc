"""Images for the reports: CIFAR-10, MNIST and membranes, read once."""

from functools import cache

import numpy as np

from keras_cnn.data.sources import load

Arrays = tuple[np.ndarray, np.ndarray]


@cache
def _all(name: str) -> Arrays:
    train = load(name).train
    order = np.random.default_rng(0).permutation(len(train))[:4000]
    return np.asarray(train.images[order]), np.asarray(train.labels[order])


def cifar(count: int = 3000) -> Arrays:
    """uint8 images (N, 32, 32, 3) and classes (N,)."""
    x, y = _all("cifar10")
    return x[:count].copy(), y[:count].copy()


def mnist(count: int = 3000) -> Arrays:
    """uint8 images (N, 28, 28, 1) and classes (N,)."""
    x, y = _all("mnist")
    return x[:count].copy(), y[:count].copy()


def unit(arrays: Arrays) -> Arrays:
    """The same images as float32 in 0..1."""
    return arrays[0].astype("float32") / 255, arrays[1]


def only(classes: int, arrays: Arrays) -> Arrays:
    """The images of the first classes, and their labels."""
    chosen = arrays[1] < classes
    return arrays[0][chosen], arrays[1][chosen]


def ellipses(count: int = 300, side: int = 32, sizes: tuple[float, float] = (0.12, 0.3)) -> Arrays:
    """Noisy gray images (N, side, side, 1) of a bright ellipse, float32 in 0..1, and its masks (N, side, side, 1).

    Args:
        count: number of images.
        side: height and width.
        sizes: lowest and highest half axis, as a share of the side.
    """
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side]
    center, radius = random.uniform(0.3, 0.7, (count, 2)) * side, random.uniform(*sizes, (count, 2)) * side
    distance = ((rows - center[:, 0, None, None]) / radius[:, 0, None, None]) ** 2
    distance = distance + ((columns - center[:, 1, None, None]) / radius[:, 1, None, None]) ** 2
    masks = (distance < 1).astype("uint8")
    images = np.clip(0.3 + 0.4 * masks + random.normal(0, 0.12, masks.shape), 0, 1).astype("float32")
    return images[..., None], masks[..., None]


def membranes(count: int = 200, side: int = 48, cells: int = 7) -> Arrays:
    """Noisy gray images (N, side, side, 1) of bright cells with dark borders, and masks that are 1 on the borders."""
    random = np.random.default_rng(1)
    rows, columns = np.mgrid[:side, :side]
    center = random.uniform(0, side, (count, cells, 2))
    distance = np.hypot(rows - center[..., 0, None, None], columns - center[..., 1, None, None])
    nearest = np.partition(distance, 1, axis=1)
    masks = (nearest[:, 1] - nearest[:, 0] < 3).astype("uint8")
    images = np.clip(0.7 - 0.4 * masks + random.normal(0, 0.12, masks.shape), 0, 1).astype("float32")
    return images[..., None], masks[..., None]


def ellipses_of_two_kinds(count: int = 300, side: int = 32) -> Arrays:
    """Noisy gray images (N, side, side, 1) of a dark or bright ellipse, and masks (N, side, side) of 0, 1 or 2."""
    _, masks = ellipses(count, side)
    random = np.random.default_rng(2)
    kinds = masks[..., 0] * random.integers(1, 3, (count, 1, 1)).astype("uint8")
    images = np.array([0.4, 0.1, 0.8])[kinds] + random.normal(0, 0.1, kinds.shape)
    return np.clip(images, 0, 1).astype("float32")[..., None], kinds
