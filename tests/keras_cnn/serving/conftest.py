"""Exported models: one of single labels, one of masks, and the first in all other formats."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from keras_cnn.data.dataset import ImageData
from keras_cnn.records import write_record
from keras_cnn.serving import export
from keras_cnn.serving.formats import FORMATS
from keras_cnn.serving.predictor import Predictor
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import Run
from keras_cnn.training.train import train_epochs

VGG = TrainSettings(
    options={"blocks": 2, "convolutions": 1, "width": 4, "dense": [8]},
    batch_size=16,
    precision="float32",
    epochs=2,
    dropout=0.2,
    augmentation="crop",
)
UNET = TrainSettings(
    architecture="unet",
    options={"depth": 1, "convolutions": 1, "width": 4},
    crop_size=(16, 16),
    batch_size=4,
    learning_rate=0.02,
    precision="float32",
    epochs=2,
    augmentation="none",
)


@pytest.fixture(scope="session")
def data(data) -> ImageData:
    """The images of two halves, with class names that are not in alphabetical order."""
    return replace(data, facts=replace(data.facts, classes=("west", "east")))


def train_run(settings: TrainSettings, data: ImageData, strategy, directory: Path) -> None:
    """Train into a run directory."""
    Run(directory, settings, data.facts).write()
    result = train_epochs(settings, data, directory, strategy=strategy)
    write_record(directory / "metrics.json", {"state": "COMPLETED", **asdict(result)})


def export_version(run: Path, data: ImageData, models: Path, formats: Sequence[str] = ()) -> Path:
    """The run as a further version below `models`; `data` take the place of those that it names."""
    with mock.patch.object(export, "load", lambda **arguments: data):
        return export.export_run(run, models, formats=formats)


def export_new(settings: TrainSettings, data: ImageData, strategy, folder: Path) -> None:
    """Train folder/run and export it below folder/models."""
    train_run(settings, data, strategy, folder / "run")
    export_version(folder / "run", data, folder / "models")


def copy_run(version: Path, folder: Path) -> tuple[Path, Path]:
    """Copies, below `folder`, of the run and the models that `version` belongs to."""
    shutil.copytree(version.parents[1] / "run", folder / "run")
    shutil.copytree(version.parent, folder / "models")
    return folder / "run", folder / "models"


@pytest.fixture(scope="session")
def exported(data, one_device, made_once) -> Path:
    """A version that answers which half of an image is brighter, `west` or `east`."""
    folder = made_once("exported", lambda folder: export_new(VGG, data, one_device, folder))
    return folder / "models" / "1"


@pytest.fixture(scope="session")
def exported_masks(mask_data, one_device, made_once) -> Path:
    """A version that finds discs in windows of 16x16."""
    folder = made_once("exported_masks", lambda folder: export_new(UNET, mask_data, one_device, folder))
    return folder / "models" / "1"


@pytest.fixture(scope="session")
def converted(exported, data, made_once) -> Path:
    """A second version of `exported`, beside a copy of the first, in every format."""

    def make(folder: Path) -> None:
        run, models = copy_run(exported, folder)
        export_version(run, data, models, tuple(FORMATS))

    return made_once("converted", make) / "models" / "2"


@pytest.fixture
def mask_predictor() -> Predictor:
    """A net whose mask is the brightness, of images that were resized to 4x4 for it."""
    predictor = Predictor.__new__(Predictor)
    predictor.card = {
        "task": "segmentation",
        "classes": ["dark", "bright"],
        "input": {"shape": [None, 4, 4, 1], "dtype": "uint8", "range": [0, 255]},
        "settings": {"image_size": [4, 4]},
        "data": {"shape": [4, 4, 1]},
        "output": {"shape": [None, 4, 4, 2]},
    }
    predictor._read_card()
    predictor.probabilities = lambda images: np.concatenate([255 - images, images], axis=-1) / np.float32(255)
    return predictor
