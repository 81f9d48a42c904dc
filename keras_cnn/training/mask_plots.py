"""Pictures of masks: input, truth, prediction and errors side by side, during a run and at its end."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from keras_cnn.data.dataset import Split
from keras_cnn.data.value_range import PIXELS, displayed
from keras_cnn.files import to_png
from keras_cnn.training.evaluate_masks import predict_mask
from keras_cnn.training.plots import plain, write_pictures

SHOWN = 4
PICTURES = 5  # times in a run
COLUMNS = ("input", "truth", "prediction", "mistakes")


class MaskPictures(keras.callbacks.Callback):
    """Write what the model makes of some windows of `validation` to TensorBoard, about five times in `epochs`."""

    def __init__(
        self,
        logs: Path,
        classes: Sequence[str],
        validation: Split,
        epochs: int,
        value_range: tuple[float, float] = PIXELS,
    ):
        super().__init__()
        # a separate folder: TensorBoard reads no further in a file, such as Keras's, once there is a newer one
        self._logs, self._classes, self._every = logs / "pictures", classes, max(1, epochs // PICTURES)
        rows = np.linspace(0, len(validation) - 1, min(SHOWN, len(validation))).astype(int)
        self._value_range = value_range
        self._shown = Split(validation.images[rows], validation.labels[rows])

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self._every == 0:
            predicted = np.argmax(self.model(self._shown.images, training=False), axis=-1)
            figure = mask_figure(self._classes, self._shown, list(predicted), self._value_range)
            write_pictures(self._logs, {"predictions": to_png(figure)}, epoch)


def examples(model: keras.Model, split: Split, quality: list[float]) -> tuple[Split, list[np.ndarray]]:
    """The worst, a middling and the best image of `split` by `quality`, and the classes predicted for them."""
    order = np.argsort(quality)
    rows = list(dict.fromkeys(order[[0, len(order) // 2, -1]].tolist()))
    chosen = Split(split.images[rows], split.labels[rows])
    return chosen, [predict_mask(model, image).argmax(axis=-1) for image in chosen.images]


def mask_figure(
    classes: Sequence[str],
    split: Split,
    predicted: list[np.ndarray],
    value_range: tuple[float, float] = PIXELS,
):
    """A row for each image (H, W, C): itself, its mask, the predicted one, and in red where they differ."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    height, width = split.labels.shape[1:]
    figure = Figure(figsize=(12, 1 + 3 * len(split) * height / width), layout="constrained")
    colors = colormaps["viridis"].resampled(len(classes))
    grid = figure.subplots(len(split), len(COLUMNS), squeeze=False)
    for axes, image, truth, guess in zip(grid, split.images, split.labels, predicted, strict=True):
        axes[0].imshow(displayed(image, value_range).squeeze(), cmap="gray", vmin=0, vmax=255)
        for axis, mask in ((axes[1], truth), (axes[2], guess)):
            axis.imshow(mask, cmap=colors, vmin=-0.5, vmax=len(classes) - 0.5, interpolation="nearest")
        axes[3].imshow(truth != guess, cmap="Reds", vmin=0, vmax=1, interpolation="nearest")
    for axis in grid.flat:
        axis.axis("off")
    for axis, title in zip(grid[0], COLUMNS, strict=True):
        axis.set_title(title)
    patches = [Patch(color=colors(index), label=plain(name)) for index, name in enumerate(classes)]
    figure.legend(handles=patches, loc="outside upper center", ncols=min(8, len(classes)))
    return figure
