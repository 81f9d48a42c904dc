"""The learning-rate range test of some settings, as numbers, a plot and in TensorBoard."""

import dataclasses
import logging
from pathlib import Path

import tensorflow as tf

from keras_cnn.data.sources import load
from keras_cnn.directories import claim, data_stem
from keras_cnn.errors import InputError
from keras_cnn.files import to_png, write_bytes
from keras_cnn.models.own import own_stem
from keras_cnn.provenance import provenance
from keras_cnn.records import write_record
from keras_cnn.training.batch_size import batch_size_note
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.lr_finder import SECONDS, STEPS, RangeTest, range_test
from keras_cnn.training.plots import as_image
from keras_cnn.training.strategy import describe, get_strategy

logger = logging.getLogger(__name__)

RESULT = "lr_find.json"
PLOT = "lr_find.png"
PLATEAU = 0.05  # of the fall of the loss


def find_run(
    settings: TrainSettings,
    directory: Path | None = None,
    *,
    devices: int | None = None,
    download: bool = False,
    steps: int = STEPS,
    seconds: float = SECONDS,
) -> tuple[RangeTest, Path]:
    """Test the rates for `settings` on their data; leaves lr_find.json, lr_find.png and logs.

    Args:
        settings: of the model and its training.
        directory: where to write; None for the first free `runs/DATA-ARCHITECTURE-lr-N`.
        devices: as `get_strategy` takes it.
        download: whether a TFDS data set may be fetched from the network.
        steps: training steps at most, 10 or more.
        seconds: fewer steps are made where they would take longer, but not fewer than 42.

    Returns:
        (the result, the directory).

    Raises:
        InputError: for fewer than 10 steps, or if the directory contains such a result already.
    """
    if steps < 10:
        raise InputError(f"steps={steps} must be at least 10. Usual: 210, thirty for each power of ten.")
    settings.check_names()
    stem = f"{data_stem(settings.data)}-{own_stem(settings.architecture)}-lr"
    with claim(directory, stem, RESULT) as claimed:
        data = load(**settings.load_arguments(), download=download)
        strategy = get_strategy(devices)
        given, replicas = settings.batch_size, strategy.num_replicas_in_sync
        settings = settings.resolved(data.facts, replicas)
        assert settings.batch_size, "resolved"
        for note in batch_size_note(given, settings.batch_size, settings.input_facts(data.facts), replicas):
            logger.info(f"note: {note}")
        limits = f"up to {steps} steps, about {seconds:.0f} s, at rising learning rates"
        logger.info(f"{describe(strategy, settings.batch_size)}; {limits}")
        found = range_test(settings, data, strategy, steps=steps, seconds=seconds)
        picture = to_png(rate_figure(found), dpi=100)
        write_bytes(claimed / PLOT, picture)
        _write_logs(claimed / "logs", found, picture)
        record = {**dataclasses.asdict(found), "settings": settings.to_dict(), "provenance": provenance()}
        write_record(claimed / RESULT, record)
    return found, claimed


def rate_figure(found: RangeTest):
    """Losses over rates, as they were and smoothed, with the suggested rate and what the rates beside it do."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="tight")
    axis = figure.subplots()
    axis.semilogx(found.rates, found.losses, color="lightgray", label="loss of each batch")
    axis.semilogx(found.rates, found.smoothed, color="tab:blue", label="smoothed")
    if found.suggested:
        start, lowest = found.smoothed[0], min(found.smoothed)
        falling = [loss < start - PLATEAU * (start - lowest) for loss in found.smoothed].index(True)
        axis.axvspan(
            found.rates[0], found.rates[falling], alpha=0.15, label="too small: the loss hardly falls"
        )
        axis.axvspan(found.suggested, found.rates[-1], color="firebrick", alpha=0.15, label="too large")
        label = f"suggested: {found.suggested:.1e}, the largest before the loss rises"
        axis.axvline(found.suggested, color="firebrick", linestyle="--", label=label)
    top = max(found.smoothed[: max(1, len(found.smoothed) // 2)])
    axis.set(xlabel="learning rate", ylabel="loss", ylim=(0, 1.5 * top))
    axis.legend(loc="lower left")
    return figure


def _write_logs(logs: Path, found: RangeTest, picture: bytes) -> None:
    """Scalars over the steps, for TensorBoard's axis is linear, and the plot as an image."""
    with tf.summary.create_file_writer(str(logs)).as_default():
        for name in ("rates", "losses", "smoothed"):
            for step, value in enumerate(getattr(found, name)):
                tf.summary.scalar(f"lr_find/{name}", value, step=step)
        tf.summary.image("lr_find", as_image(picture), step=0)
