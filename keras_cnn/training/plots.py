"""The pictures a run ends with, as TensorBoard images: confusion matrix and sample predictions."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_cnn.data.dataset import Split
from keras_cnn.data.value_range import PIXELS, displayed
from keras_cnn.pages.palette import KINDS

SAMPLES = 24


def plain(text: str) -> str:
    """`text` as matplotlib shows it as it is: $ begins no formula, and a byte that is no text has its code."""
    return _decodable(text).replace("$", r"\$")


def _decodable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def write_pictures(logs: Path, pictures: dict[str, bytes], step: int) -> None:
    """Write PNG files by name to TensorBoard's folder `logs`."""
    with tf.summary.create_file_writer(str(logs)).as_default():
        for name, png in pictures.items():
            tf.summary.image(_decodable(name), as_image(png), step=step)


def as_image(png: bytes) -> tf.Tensor:
    """A PNG file as (1, H, W, 4) uint8."""
    return tf.image.decode_png(png, channels=4)[None]


def confusion_figure(classes: tuple[str, ...], confusion: list[list[int]], shares: bool = False):
    """Rows: true class, columns: predicted; numbers, or shares of each row, are shown up to 20 classes."""
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    side = min(4 + 0.35 * len(classes), 20)
    figure = Figure(figsize=(side, side), layout="tight")
    matrix = np.array(confusion)
    if shares:
        matrix = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    ConfusionMatrixDisplay(matrix, display_labels=[plain(name) for name in classes]).plot(
        ax=figure.subplots(),
        include_values=len(classes) <= 20,
        values_format=".1%" if shares else "d",
        cmap="viridis",
        xticks_rotation="vertical",
        colorbar=False,
    )
    return figure


def curves_figure(history: dict[str, list[float]], score: str):
    """Losses, and beside them the `score`, by epoch, of training and validation."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(("loss", score)))
    figure = Figure(figsize=(4.5 * len(names), 3.5), layout="tight")
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for key, label, color in ((name, "train", KINDS[0]), (f"val_{name}", "validation", KINDS[1])):
            values = history.get(key, [])
            axis.plot(range(1, len(values) + 1), values, marker="o", markersize=3, label=label, color=color)
        axis.set(xlabel="epoch", title=name.replace("_", " "))
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.legend()
    return figure


def sample_figure(
    classes: tuple[str, ...],
    split: Split,
    probabilities: np.ndarray,
    value_range: tuple[float, float] = PIXELS,
):
    """Images with predicted class and probability; mistakes first, red, with the true class."""
    from matplotlib.figure import Figure

    predicted = probabilities.argmax(axis=1)
    order = np.argsort(predicted == split.labels, kind="stable")
    wrong = order[: min(SAMPLES // 2, int((predicted != split.labels).sum()))]
    right = order[::-1][: SAMPLES - len(wrong)]
    figure = Figure(figsize=(12, 8.5))
    # a layout engine would draw the 24 axes twice
    grid = figure.subplots(
        4, 6, gridspec_kw={"left": 0.02, "right": 0.98, "bottom": 0.02, "top": 0.94, "hspace": 0.3}
    )
    for axis in grid.flat:
        axis.set_axis_off()
    for axis, index in zip(grid.flat, [*wrong, *right], strict=False):
        truth, guess = classes[split.labels[index]], classes[predicted[index]]
        title = f"{guess} {probabilities[index].max():.0%}" + ("" if guess == truth else f"\nis {truth}")
        axis.imshow(displayed(split.images[index], value_range).squeeze(), cmap="gray", vmin=0, vmax=255)
        axis.set_title(plain(title), color="black" if guess == truth else "firebrick", fontsize=9)
    return figure
