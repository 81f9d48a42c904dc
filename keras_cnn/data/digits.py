"""scikit-learn's digits: 1,797 handwritten digits of 8 x 8 gray pixels, part of the package, no download."""

import numpy as np

from keras_cnn.data.dataset import RawSplits, Split
from keras_cnn.data.decode import resize

DOUBLED = (16, 16)  # 8 x 8 leaves a VGG too little to halve; doubled, test accuracy gains about a point

LICENSE = "CC BY 4.0 (Optical Recognition of Handwritten Digits, UCI Machine Learning Repository)"


def read(image_size: tuple[int, int] | None) -> RawSplits:
    """All digits as train; there are no official splits. images: uint8 (1797, 16, 16, 1), or of `image_size`."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]  # stored as 0..16
    images = np.stack([resize(image, image_size or DOUBLED) for image in images])
    classes = tuple(str(name) for name in digits.target_names)
    return RawSplits(
        classes, Split(images, digits.target.astype(np.int64)), flip_invariant=False, license=LICENSE
    )
