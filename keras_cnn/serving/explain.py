"""Pictures of what a trained net makes of images: Grad-CAM and the maps of its layers, as PNG and in TensorBoard."""

import logging
import math
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.decode import resize
from keras_cnn.data.overlays import heat_overlay, mask_overlay
from keras_cnn.data.sources import load
from keras_cnn.data.value_range import displayed
from keras_cnn.errors import unknown_name
from keras_cnn.files import distinct_stems, to_png, write_bytes
from keras_cnn.models.grad_cam import grad_cam
from keras_cnn.serving.read_image import read_image
from keras_cnn.training.evaluate import window_of
from keras_cnn.training.make_model import best_model
from keras_cnn.training.plots import plain, write_pictures
from keras_cnn.training.run_directory import Run, chosen_run, read_run
from keras_cnn.training.tasks import check_has_classes

logger = logging.getLogger(__name__)

SAMPLES = 4  # test images shown if none are given
TOP = 3  # classes explained
CHANNELS = 64  # shown of a layer
MAPS = (
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
)


def explain_run(
    directory: Path,
    files: Sequence[Path],
    layers: Sequence[str],
    destination: Path,
) -> None:
    """Write `NAME/answer.png`, `NAME/01-LAYER.png`, ... below `destination`, of each of `files` or of some test images.

    layers: whose maps to draw; all activations, sums and pools if empty. The same pictures go to TensorBoard, in
    `explain` of the run's logs. Images that a model of masks cannot take whole are cut to a window in their middle.
    Raises InputError if `directory` is no finished run, a layer is unknown, or a file is no image.
    """
    run = read_run(chosen_run(directory))
    check_has_classes(run.facts, "explain")
    model = best_model(run.settings, run.facts, run.directory)
    maps_of, grad_cam_of = _maps_model(model, _chosen(model, layers)), grad_cam(model)
    for name, image in _images(run, model, files).items():
        figures = {"answer": _answer_figure(model, grad_cam_of, image, run.facts)}
        for layer, maps in maps_of(image[None], training=False).items():
            figures[layer] = _maps_figure(layer, np.asarray(maps[0], np.float32))
        folder = destination / name
        folder.mkdir(parents=True, exist_ok=True)
        pictures = {what: to_png(figure) for what, figure in figures.items()}
        for position, (what, png) in enumerate(pictures.items()):
            write_bytes(folder / (f"{position:02d}-{what}.png" if position else f"{what}.png"), png)
        tagged = {f"{name}/{what}": png for what, png in pictures.items()}
        write_pictures(run.log_directory / "explain", tagged, run.settings.epochs)
        logger.info(f"{name}: {len(figures)} pictures in {folder}")
    logger.info(f"tensorboard --logdir {shlex.quote(str(run.log_directory))}")


def _chosen(model: keras.Model, names: Sequence[str]) -> list[str]:
    having = [layer.name for layer in model.layers if len(layer.output.shape) == 4]
    for name in names:
        if name not in having:
            raise unknown_name("layer with maps", name, having)
    return list(names) or [
        layer.name for layer in model.layers if layer.name in having and isinstance(layer, MAPS)
    ]


def _images(run: Run, model: keras.Model, files: Sequence[Path]) -> dict[str, np.ndarray]:
    """Name -> an image of the model's shape, type and range."""
    if files:
        names = distinct_stems(files)
        # decoded one at a time: of a large image only what the net sees is kept
        images = (read_image(path, run.facts.shape[2], None, run.facts) for path in files)
    else:
        test = run.checked(load(**run.settings.load_arguments())).load_test()
        rows = np.linspace(0, len(test) - 1, SAMPLES).astype(int)
        names, images = [f"test-{row}" for row in rows], (test.images[row] for row in rows)
    return {name: _fitted(image, run, model) for name, image in zip(names, images, strict=True)}


def _fitted(image: np.ndarray, run: Run, model: keras.Model) -> np.ndarray:
    window = window_of(model)
    if window is None:
        return resize(image, run.facts.shape[:2])
    if run.settings.image_size:
        image = resize(image, run.facts.shape[:2])
    corner = (max(0, (side - part) // 2) for side, part in zip(image.shape, window.inner, strict=False))
    return window.view(image, *corner)


def _maps_model(model: keras.Model, names: Sequence[str]) -> Callable:
    """Images -> layer -> (B, h, w, channels)."""
    if not names:
        return lambda images, training: {}
    return keras.Model(model.input, {name: model.get_layer(name).output for name in names})


def _answer_figure(model: keras.Model, grad_cam_of: Callable | None, image: np.ndarray, facts: DataFacts):
    """The image, and beside it the mask that the net answers, or for its first classes where it sees them."""
    from matplotlib.figure import Figure

    probabilities = model.predict(image[None], verbose=0)[0]
    classes, picture = facts.classes, displayed(image, facts.value_range)
    shown = [("what the net sees", picture)]
    if window := window_of(model):
        mask = probabilities.argmax(axis=-1)
        center = window.center(picture[None])[0]
        shown += [("its answer", mask_overlay(center, mask, len(classes)))]
    elif grad_cam_of:
        for index in np.argsort(-probabilities)[:TOP]:
            heat = grad_cam_of(image[None], np.array([index], np.int32)).numpy()[0]
            shown.append((f"{classes[index]} {probabilities[index]:.1%}", heat_overlay(picture, heat)))
    figure = Figure(figsize=(3.0 * len(shown), 3.5), layout="constrained")
    for axis, (title, pixels) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        axis.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=255)
        axis.set_title(plain(title), fontsize=9)
        axis.axis("off")
    return figure


def _maps_figure(layer: str, maps: np.ndarray):
    """A square of the first channels, each from its smallest to its largest value."""
    from matplotlib.figure import Figure

    height, width, channels = maps.shape
    low, span = maps.min(axis=(0, 1)), np.ptp(maps, axis=(0, 1))
    scaled = (maps - low) / np.where(span > 0, span, 1)
    columns = math.ceil(math.sqrt(min(channels, CHANNELS)))
    rows = math.ceil(min(channels, CHANNELS) / columns)
    tiles = np.full(
        (rows * (height + 1), columns * (width + 1)), np.nan
    )  # what stays NaN is the lines between
    for index in range(min(channels, CHANNELS)):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        tiles[top : top + height, left : left + width] = scaled[..., index]
    figure = Figure(figsize=(8, 8 * tiles.shape[0] / tiles.shape[1] + 0.5), layout="constrained")
    axis = figure.subplots()
    axis.imshow(tiles, interpolation="nearest")
    axis.set_title(
        f"{layer}: {min(channels, CHANNELS)} of {channels} maps of {height}x{width}, {(span == 0).sum()} constant"
    )
    axis.axis("off")
    return figure
