"""The lecture "How to increase the training accuracy of a CNN?", rung by rung: train, diagnose before, compare.

Every run is kept as a JSON file as soon as it has ended, so that a ladder that was interrupted goes on.
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
from keras_cnn.files import read_json, write_json
from keras_cnn.training.config import TrainSettings

logger = logging.getLogger(__name__)

RATE, LOWER = 1e-3, 3e-4
WIDTH = 64  # of VGG's first block
DIAGNOSED = 2048  # images that the doctor sees


@dataclass(frozen=True)
class Rung:
    """A step of the lecture. changes: of TrainSettings. claim: what the lecture says of it, see `judge`; than: the rung
    it is compared with. rates: others at which the claim is tried too."""

    name: str
    changes: dict
    claim: str
    than: str = ""
    rates: tuple[float, ...] = ()


def vgg(blocks: int, convolutions: int) -> dict:
    return {"blocks": blocks, "convolutions": convolutions, "dense": []}


PLAIN = {
    "batch_norm": False,
    "activation": "relu",
    "kernel_initializer": "random_normal",
    "normalization": "zero_one",
}
DEEP = PLAIN | {"options": vgg(4, 4)}  # 16 convolutions
RUNGS = (
    Rung("small", PLAIN | {"options": vgg(1, 1)}, "baseline"),
    Rung("more_blocks", PLAIN | {"options": vgg(3, 1)}, "better", "small"),
    Rung("sigmoid", PLAIN | {"options": vgg(4, 2), "activation": "sigmoid"}, "stuck", rates=(LOWER, 1e-2)),
    Rung("relu", PLAIN | {"options": vgg(4, 2)}, "better", "sigmoid"),
    Rung("glorot", PLAIN | {"options": vgg(4, 2), "kernel_initializer": "glorot_uniform"}, "better", "relu"),
    Rung("deeper", DEEP | {"kernel_initializer": "glorot_uniform"}, "stuck", rates=(LOWER,)),
    Rung("he", DEEP | {"kernel_initializer": "he_normal"}, "better", "deeper", rates=(LOWER,)),
    *(
        Rung(
            f"normalization_{kind}",
            PLAIN | {"options": vgg(4, 2), "kernel_initializer": "he_normal", "normalization": kind},
            "baseline" if kind == "none" else "better",
            "" if kind == "none" else "normalization_none",
        )
        for kind in ("none", "zero_one", "minus_one_one", "zero_mean", "per_image")
    ),
    Rung(
        "batch_norm",
        DEEP | {"kernel_initializer": "he_normal", "normalization": "zero_mean", "batch_norm": True},
        "better",
        "he",
        rates=(LOWER,),
    ),
)
MATRIX: dict[str, tuple] = {
    "activation": ("sigmoid", "tanh", "relu"),
    "kernel_initializer": ("glorot_uniform", "he_normal"),
    "convolutions": (2, 4),  # in each of four blocks: 8 or 16
    "batch_norm": (False, True),
    "learning_rate": (RATE, LOWER),
}


@dataclass(frozen=True)
class LadderSettings:
    """How the lecture is replayed.

    Args:
        data: digits, folder:PATH or the name of a TFDS image classification set; images of at least 16x16 pixels.
        scale: times VGG's widths of 64 to 512, in (0, 1].
        images: training images that are used, the first ones; all if there are fewer.
        seeds: times that each rung is trained.
        epochs: of each run; of the matrix half of them.
        matrix: also train activation x initializer x depth x batch normalization x rate, 48 nets, once each.
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
                f"scale={self.scale} is outside (0, 1]. 0.25 makes nets of a quarter of VGG's width."
            )
        for name, low in (("images", 100), ("seeds", 1), ("epochs", 2)):
            if getattr(self, name) < low:
                raise InputError(f"{name}={getattr(self, name)} must be at least {low}.")
        if self.language not in ("en", "vi"):
            raise InputError(f"language={self.language!r} is neither en nor vi.")


@dataclass(frozen=True)
class Result:
    """One run. history: metric -> value per epoch. verdict, rates, layers: of the doctor before training, of the first
    seed; layers: (name, spread of its outputs, gradient by weight)."""

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
        """On the training images, in the last epoch; 0 where the loss was not finite."""
        return 0.0 if self.diverged or not self.history else self.history["accuracy"][-1]


def climb(
    settings: LadderSettings, directory: Path, download: bool = False
) -> tuple[list[Result], DataFacts]:
    """Train all rungs (and the matrix), keeping each result in `directory`/runs; those that are there are read."""
    from keras_cnn.data.sources import load

    data = _first(load(settings.data, download=download), settings.images)
    if min(data.facts.shape[:2]) < 16:
        raise InputError(
            f"images of {data.facts.shape[:2]} are too small: the ladder's nets halve them four times."
        )
    (directory / "runs").mkdir(parents=True, exist_ok=True)
    plans = list(_plans(settings))
    results = []
    for number, (name, wanted, seed, diagnosed) in enumerate(plans, start=1):
        path = directory / "runs" / f"{name}-{wanted.learning_rate:.0e}-{seed}.json"
        if not path.exists():
            result = _run(name, replace(wanted, data=settings.data, seed=seed), data, diagnosed)
            write_json(path, dataclasses.asdict(result))
            told = f", doctor before: {result.verdict}" if result.verdict else ""
            logger.info(
                f"{number}/{len(plans)} {name} at {wanted.learning_rate:.0e}, seed {seed}: training accuracy "
                f"{result.accuracy:.3f}, {result.seconds:.0f} s{told}"
            )
        results.append(Result(**read_json(path)))
    return results, data.facts


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
    """Adam at a constant rate, without what else helps: no augmentation, smoothing or decay."""
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

    from keras_cnn.training.train import Diverged, train

    # nets this small fill no second device
    wanted, strategy = wanted.resolved(data.facts), tf.distribute.get_strategy()
    told = _diagnosed(wanted, data, strategy) if diagnosed else {}
    with TemporaryDirectory() as folder:
        try:
            trained = train(wanted, data, Path(folder), strategy=strategy)
            history, diverged, seconds = trained.history, False, trained.seconds
        except Diverged:
            history, diverged, seconds = {}, True, 0.0
    return Result(name, wanted.learning_rate, wanted.seed, history, diverged, seconds, **told)


def _diagnosed(wanted: TrainSettings, data: ImageData, strategy) -> dict:
    """What the doctor says before training."""
    import keras

    from keras_cnn.diagnosis.diagnose import diagnose
    from keras_cnn.diagnosis.report import text
    from keras_cnn.training.train import make_model

    keras.utils.set_random_seed(wanted.seed)
    model, *_ = make_model(wanted, data, strategy)
    chosen = np.random.default_rng(0).permutation(len(data.train))[:DIAGNOSED]
    found = diagnose(model, (data.train.images[chosen].astype("float32"), data.train.labels[chosen]))
    layers = (
        [(layer.name, layer.std_over_images, layer.ratio) for layer in found.signals.layers]
        if found.signals
        else []
    )
    return {"verdict": found.verdict, "doctor": text(found), "layers": layers}
