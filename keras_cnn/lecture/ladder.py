"""The lecture "How to increase the training accuracy of a CNN?", replayed rung by rung: diagnose, train, compare.

Every run is written to a JSON file when it ends, so that an interrupted ladder continues.
"""

import dataclasses
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from keras_cnn.data.dataset import DataFacts, ImageData, Split
from keras_cnn.errors import InputError
from keras_cnn.lecture.rungs import MATRIX, RATE, RUNGS, WIDTH, vgg
from keras_cnn.records import is_damaged, read_record, understood, write_record
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.tasks import check_has_classes

logger = logging.getLogger(__name__)

DIAGNOSIS_IMAGES = 2048


@dataclass(frozen=True)
class LadderSettings:
    """How the lecture is replayed.

    Args:
        data: digits, folder:PATH or the name of a TFDS image classification set; images of at least 16x16 pixels.
        scale: times VGG's widths of 64 to 512, in (0, 1].
        images: training images that are used, the first ones; all if there are fewer.
        seeds: number of trainings of each rung.
        epochs: of each run; half of them for the matrix.
        matrix: also train activation x initializer x depth x batch normalization x learning rate, 48 models, once each.
        language: of the page: en or vi.
    """

    data: str = "digits"
    scale: float = 0.25
    images: int = 8000
    seeds: int = 3
    epochs: int = 6
    matrix: bool = True
    language: str = "en"

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1:
            raise InputError(
                f"scale={self.scale} is outside (0, 1]; 0.25 gives models of a quarter of VGG's width."
            )
        for name, low in (("images", 100), ("seeds", 1), ("epochs", 2)):
            if getattr(self, name) < low:
                raise InputError(f"{name}={getattr(self, name)} must be at least {low}.")
        if self.language not in ("en", "vi"):
            raise InputError(f"language={self.language!r} is neither en nor vi.")


@dataclass(frozen=True)
class Result:
    """One run.

    Args:
        rung: name of the rung.
        rate: learning rate.
        seed: of the run.
        history: metric -> value per epoch.
        diverged: whether the loss was not finite.
        seconds: of the training.
        verdict: of the diagnosis before training; empty except for the first seed.
        findings: the diagnosis as text; empty except for the first seed.
        layers: (name, standard deviation over images, gradient / weight) of each layer, from the diagnosis.
    """

    rung: str
    rate: float
    seed: int
    history: dict[str, list[float]]
    diverged: bool
    seconds: float
    verdict: str = ""
    findings: str = ""
    layers: list = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """On the training images in the last epoch, in [0, 1]; 0 if the run diverged."""
        return 0.0 if self.diverged or not self.history else self.history["accuracy"][-1]


def climb(
    settings: LadderSettings, directory: Path, download: bool = False
) -> tuple[list[Result], DataFacts]:
    """Train all rungs and the matrix; results in `directory`/runs are read instead of trained again.

    Args:
        settings: of the ladder.
        directory: where each result is written.
        download: whether a TFDS set may be fetched from the network.

    Returns:
        (results of all runs, facts of the data).

    Raises:
        InputError: if the images are smaller than 16x16.
    """
    from keras_cnn.data.sources import load

    loaded = load(settings.data, download=download)
    check_has_classes(loaded.facts, "the ladder")
    data = _first(loaded, settings.images)
    if min(data.facts.shape[:2]) < 16:
        raise InputError(
            f"images of {data.facts.shape[:2]} are too small: the ladder's models need 16x16 or more."
        )
    (directory / "runs").mkdir(parents=True, exist_ok=True)
    plans = list(_plans(settings))
    results = []
    for number, (name, wanted, seed, diagnosed) in enumerate(plans, start=1):
        path = directory / "runs" / f"{name}-{wanted.learning_rate:.0e}-{seed}.json"
        if not path.exists() or is_damaged(path, _read_result):
            result = _run(name, replace(wanted, data=settings.data, seed=seed), data, diagnosed)
            write_record(path, dataclasses.asdict(result))
            diagnosis = f", diagnosis before training: {result.verdict}" if result.verdict else ""
            logger.info(
                f"{number}/{len(plans)} {name} at a learning rate of {wanted.learning_rate:.0e}, seed {seed}: training "
                f"accuracy {result.accuracy:.3f}, {result.seconds:.0f} s{diagnosis}"
            )
        results.append(_read_result(path))
    return results, data.facts


def _read_result(path: Path) -> Result:
    values = read_record(path)
    if "doctor" in values:  # the name of `findings` before version 0.2
        values["findings"] = values.pop("doctor")
    with understood(path):
        return Result(**values)


def _plans(settings: LadderSettings) -> Iterator[tuple[str, TrainSettings, int, bool]]:
    """(name, settings, seed, whether to diagnose) of every run."""
    for rung in RUNGS:
        for rate in (RATE, *rung.rates):
            for seed in range(settings.seeds):
                yield (
                    rung.name,
                    run_settings(rung.changes, rate, settings.scale, settings.epochs),
                    seed,
                    seed == 0,
                )
    if settings.matrix:
        for activation, initializer, convolutions, batch_norm, rate in product(*MATRIX.values()):
            changes = {"activation": activation, "kernel_initializer": initializer, "batch_norm": batch_norm}
            changes |= {"options": vgg(4, convolutions), "normalization": "zero_mean"}
            wanted = run_settings(changes, rate, settings.scale, max(1, settings.epochs // 2))
            yield matrix_name(activation, initializer, convolutions, batch_norm), wanted, 0, False


def matrix_name(activation: str, initializer: str, convolutions: int, batch_norm: bool) -> str:
    return f"matrix-{activation}-{initializer}-{4 * convolutions}-{'bn' if batch_norm else 'plain'}"


def run_settings(changes: dict, rate: float, scale: float, epochs: int) -> TrainSettings:
    """Adam at a constant learning rate, without augmentation, label smoothing and weight decay."""
    options = changes["options"] | {"width": max(4, round(WIDTH * scale))}
    return TrainSettings(
        optimizer="adam",
        learning_rate=rate,
        schedule="constant",
        weight_decay=0.0,
        label_smoothing=0.0,
        augmentation="none",
        precision="float32",
        batch_size=64,
        epochs=epochs,
        **{**changes, "options": options},
    )


def _first(data: ImageData, images: int) -> ImageData:
    train = Split(data.train.images[:images], data.train.labels[:images])
    return dataclasses.replace(data, train=train)


def _run(name: str, wanted: TrainSettings, data: ImageData, diagnosed: bool) -> Result:
    import tensorflow as tf

    from keras_cnn.training.train import Diverged, train_epochs

    # one device: models this small do not fill a second one
    wanted, strategy = wanted.resolved(data.facts), tf.distribute.get_strategy()
    diagnosis = _diagnosed(wanted, data, strategy) if diagnosed else {}
    with TemporaryDirectory() as folder:
        try:
            trained = train_epochs(wanted, data, Path(folder), strategy=strategy)
            history, diverged, seconds = trained.history, False, trained.seconds
        except Diverged:
            history, diverged, seconds = {}, True, 0.0
    return Result(name, wanted.learning_rate, wanted.seed, history, diverged, seconds, **diagnosis)


def _diagnosed(wanted: TrainSettings, data: ImageData, strategy) -> dict:
    """Verdict, findings and layers of the diagnosis before training."""
    import keras

    from keras_cnn.diagnosis.diagnose import diagnose
    from keras_cnn.diagnosis.report import text
    from keras_cnn.training.make_model import make_model

    keras.utils.set_random_seed(wanted.seed)
    model, *_ = make_model(wanted, data, strategy)
    chosen = np.random.default_rng(0).permutation(len(data.train))[:DIAGNOSIS_IMAGES]
    found = diagnose(model, (data.train.images[chosen].astype("float32"), data.train.labels[chosen]))
    layers = (
        [(layer.name, layer.std_over_images, layer.ratio) for layer in found.signals.layers]
        if found.signals
        else []
    )
    return {"verdict": found.verdict, "findings": text(found), "layers": layers}
