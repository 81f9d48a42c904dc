"""scikit-learn's digits: 1,797 handwritten digits of 8 x 8 gray pixels, part of the package, no download."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from keras_cnn.data.dataset import RawSplits, Split
from keras_cnn.data.decode import resize

DOUBLED = (16, 16)  # 8 x 8 leaves a VGG too little to halve; doubled, test accuracy gains about a point

LICENSE = "CC BY 4.0 (Optical Recognition of Handwritten Digits, UCI Machine Learning Repository)"


def read(image_size: tuple[int, int] | None) -> RawSplits:
    """All digits as train; there are no official splits. images: uint8 (1797, 16, 16, 1), or of `image_size`."""
    pixels, labels = _table()
    images = np.rint(pixels * (255 / 16)).astype(np.uint8)[..., None]  # stored as 0..16
    images = np.stack([resize(image, image_size or DOUBLED) for image in images])
    return RawSplits(
        tuple("0123456789"), Split(images, labels.astype(np.int64)), flip_invariant=False, license=LICENSE
    )


def _table() -> tuple[np.ndarray, np.ndarray]:
    """(pixels (1797, 8, 8) in 0..16, labels (1797,)), as `sklearn.datasets.load_digits` returns them.

    From the file of the package, because importing sklearn.datasets takes two seconds in every worker of a search.
    """
    folders = find_spec("sklearn").submodule_search_locations  # type: ignore[union-attr]
    rows = np.loadtxt(Path(folders[0]) / "datasets" / "data" / "digits.csv.gz", delimiter=",")  # type: ignore[index]
    return rows[:, :-1].reshape(-1, 8, 8), rows[:, -1]
