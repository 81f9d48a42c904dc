"""Predictions of an exported SavedModel and its card, without Keras: what a service or a page needs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from keras_cnn.data.decode import resize, resize_nearest
from keras_cnn.data.value_range import displayed
from keras_cnn.data.windows import Window, predict_image
from keras_cnn.errors import InputError, in_one_line
from keras_cnn.records import read_json
from keras_cnn.serving.checksums import check_checksums
from keras_cnn.serving.read_image import Source, read_image
from keras_cnn.serving.versions import CARD, find_version
from keras_cnn.task import REGRESSION, SEGMENTATION, TASKS

BATCH = 32
TOP = 5


@dataclass(frozen=True)
class Prediction:
    """The prediction for one image.

    Args:
        label: the most probable class; of a mask the class of most pixels. Of multi_label the most probable label,
            beside which others may apply: each has a probability of its own.
        probability: of `label`; of a mask its share of the pixels.
        top: (label, probability) of the most probable classes, best first.
        probabilities: float32 (K,), or (H, W, K) of a mask in the size of the image.
        seen: (H', W', C), the pixels that the model saw, in its type and range (see `Predictor.displayed`).
    """

    label: str
    probability: float
    top: list[tuple[str, float]]
    probabilities: np.ndarray
    seen: np.ndarray


@dataclass(frozen=True)
class Values:
    """The prediction of a model of regression for one image.

    Args:
        values: name -> value, in the units of the labels.
        seen: as in `Prediction`.
    """

    values: dict[str, float]
    seen: np.ndarray


class Predictor:
    """An exported SavedModel; needs TensorFlow but not Keras.

    Args:
        path: folder of a numbered version, or of versions, of which the newest is taken.

    Raises:
        InputError: if there is no exported model, or a file of it is damaged.
    """

    def __init__(self, path: str | Path):
        import tensorflow as tf

        self.path = find_version(Path(path))
        check_checksums(self.path)
        self.card = read_json(self.path / CARD)
        try:
            self._read_card()
        except (LookupError, TypeError) as error:
            raise InputError(
                f"{self.path / CARD} is not complete ({type(error).__name__}: {error}); export the model again."
            ) from None
        try:
            self._model = tf.saved_model.load(self.path)  # kept: its signatures alone do not keep it alive
            self._serve = self._model.signatures["serving_default"]
        except Exception as error:  # TensorFlow raises whatever it stumbles on
            raise InputError(
                f"{self.path} cannot be loaded: {in_one_line(error)}. Export it again."
            ) from error

    def _read_card(self) -> None:
        self.classes: tuple[str, ...] = tuple(self.card["classes"])
        self.shape: tuple[int, int, int] = tuple(self.card["input"]["shape"][1:])
        self.dtype: str = self.card["input"]["dtype"]
        low, high = self.card["input"]["range"]
        self.value_range: tuple[float, float] = (low, high)
        self.task = TASKS[self.card["task"]]
        self.makes_masks: bool = self.task == SEGMENTATION
        if self.makes_masks:
            self._window = Window(self.shape[:2], tuple(self.card["output"]["shape"][1:3]))
            # images are seen in their own size, or in that to which those of the data set were resized
            self._size = self.card["data"]["shape"][:2] if self.card["settings"]["image_size"] else None

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Images (N, *shape) of type `dtype` in `value_range` -> float32 (N, K), or (N, H', W', K) of masks.

        They sum to 1; those of multi_label do not, and each is of a label by itself.

        Raises:
            InputError: for a model of regression, which has `values`.
        """
        return self._outputs("probabilities", images)

    def values(self, images: np.ndarray) -> np.ndarray:
        """Images as `probabilities` takes them -> float32 (N, K), the values in the units of the labels.

        Raises:
            InputError: for a model of another task than regression.
        """
        return self._outputs("values", images)

    def _outputs(self, name: str, images: np.ndarray) -> np.ndarray:
        if name != self.task.output:
            raise InputError(f"{self.path} is for {self.task.name} and has {self.task.output}, not {name}.")
        import tensorflow as tf

        parts = [
            self._serve(images=tf.constant(part)) for part in np.array_split(images, -(-len(images) // BATCH))
        ]
        return np.concatenate([part[name].numpy() for part in parts])

    def grad_cam(self, seen: np.ndarray, label: str) -> np.ndarray | None:
        """Grad-CAM (Selvaraju et al. 2017) of class `label`: float32 (h, w), at least 0.

        Args:
            seen: the image as `Prediction.seen` holds it.
            label: name of the class.

        Returns:
            The map, or None if the model has no feature maps, or predicts masks.
        """
        import tensorflow as tf

        if "grad_cam" not in self._model.signatures:
            return None
        classes = tf.constant([self.classes.index(label)], tf.int32)
        return self._model.signatures["grad_cam"](images=tf.constant(seen[None]), classes=classes)["maps"][
            0
        ].numpy()

    def read(self, source: Source, size: tuple[int, int] | None = None) -> np.ndarray:
        """Read an image: EXIF orientation is applied, transparency composited on white, 16 bits scaled to 8.

        Args:
            source: an image file, its bytes, or an array, as `read_image` takes it.
            size: (height, width) to resize to; None keeps the image's own.

        Returns:
            (H, W, C) with the model's channels, type and range.

        Raises:
            InputError: for what is no image, damaged or too large.
        """
        return read_image(source, self.shape[2], size, self)

    def displayed(self, seen: np.ndarray) -> np.ndarray:
        """Pixels as `read` returns them -> uint8 (H, W, 1 or 3), to be looked at."""
        return displayed(seen, self.value_range)

    def predict(
        self, sources: Iterable[Source], top: int = TOP
    ) -> Iterator[Prediction | Values | InputError]:
        """Predict images.

        Args:
            sources: paths of files, their bytes, or arrays (H, W, C), as `read` takes them.
            top: number of classes in `Prediction.top`.

        Yields:
            For each source, in order, a Prediction (of regression Values), or the InputError that says why there is
            none.
        """
        # images are decoded one at a time, and only their small copies for the net are held together
        if self.makes_masks:
            for source in sources:
                image = self._tried(source, None)
                yield self._mask(image, top) if isinstance(image, np.ndarray) else image
            return
        sources = iter(sources)
        while group := list(islice(sources, BATCH)):
            found = [self._tried(source, self.shape[:2]) for source in group]
            answers = self._answers([image for image in found if isinstance(image, np.ndarray)], top)
            for image in found:
                yield next(answers) if isinstance(image, np.ndarray) else image

    def _tried(self, source: Source, size: tuple[int, int] | None) -> np.ndarray | InputError:
        try:
            return self.read(source, size)
        except InputError as error:
            return error
        except OSError as error:
            return InputError(f"cannot read {source!r}: {error.strerror or error}.")

    def _answers(self, images: list[np.ndarray], top: int) -> Iterator[Prediction | Values]:
        if images:
            seen = np.stack(images)
            for pixels, found in zip(seen, self._outputs(self.task.output, seen), strict=True):
                if self.task == REGRESSION:
                    yield Values(dict(zip(self.classes, found.tolist(), strict=True)), pixels)
                else:
                    yield self._prediction(found, found, pixels, top)

    def _mask(self, image: np.ndarray, top: int) -> Prediction:
        seen = resize(image, self._size) if self._size else image
        found = resize_nearest(predict_image(self.probabilities, seen, self._window), image.shape[:2])
        shares = np.bincount(found.argmax(axis=-1).ravel(), minlength=len(self.classes)) / found[..., 0].size
        return self._prediction(found, shares, seen, top)

    def _prediction(
        self, probabilities: np.ndarray, shares: np.ndarray, seen: np.ndarray, top: int
    ) -> Prediction:
        order = np.argsort(-shares, kind="stable")[: max(1, top)]
        best = [(self.classes[index], float(shares[index])) for index in order]
        return Prediction(*best[0], best, probabilities, seen)
