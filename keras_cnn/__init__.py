"""Convolutional networks that learn: build, feed, train, diagnose and ship one model.

The names below are imported when they are first used, so that `import keras_cnn` costs no TensorFlow.
"""

import importlib

from keras_cnn import logs

_HOMES = {
    "ARCHITECTURES": "models.registry",
    "BatchNormalization": "models.layers",
    "DataFacts": "data.dataset",
    "ImageData": "data.dataset",
    "Diverged": "training.train",
    "HealthMonitor": "diagnosis.monitor",
    "InputError": "errors",
    "ModelSpec": "models.spec",
    "Predictor": "serving.predictor",
    "TrainSettings": "training.config",
    "TrainingRun": "training_run",
    "build_model": "models.build",
    "conv_block": "models.blocks",
    "diagnose": "diagnosis.diagnose",
    "dense_block": "models.blocks",
    "export_run": "serving.export",
    "get_strategy": "training.strategy",
    "load": "data.sources",
    "repair": "diagnosis.repair",
    "train": "api",
    "vgg_block": "models.blocks",
}
__all__ = sorted(_HOMES)


logs.install()


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
