"""Exported models: one of single labels, one of masks."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from keras_cnn.data.dataset import ImageData
from keras_cnn.files import write_json
from keras_cnn.serving import export
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import Run
from keras_cnn.training.train import train

VGG = TrainSettings(
    options={"blocks": 2, "convolutions": 1, "width": 4, "dense": [8]},
    batch_size=16,
    precision="float32",
    epochs=2,
    augmentation="none",
)
UNET = replace(
    VGG, architecture="unet", options={"depth": 2, "width": 4}, crop_size=(16, 16), batch_size=4, epochs=6
)


def exported_run(settings: TrainSettings, data: ImageData, strategy, folder: Path) -> Path:
    Run(folder / "run", settings, data.facts).write()
    result = train(settings, data, folder / "run", strategy=strategy)
    metrics = {"score": result.score, "best_epoch": result.best_epoch, "parameters": result.parameters}
    write_json(folder / "run" / "metrics.json", metrics)
    with mock.patch.object(export, "load", lambda **arguments: data):
        return export.export_run(folder / "run", folder / "models")


@pytest.fixture(scope="session")
def exported(data, one_device, tmp_path_factory) -> Path:
    """A version that tells which half of an image is brighter: `left` or `right`."""
    return exported_run(VGG, data, one_device, tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="session")
def exported_masks(mask_data, one_device, tmp_path_factory) -> Path:
    """A version that finds discs in windows of 16x16."""
    return exported_run(UNET, mask_data, one_device, tmp_path_factory.mktemp("exported_masks"))
