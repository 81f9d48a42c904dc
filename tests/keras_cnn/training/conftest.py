"""Training without what is drawn of it for TensorBoard, which takes longer than the training of nets this small."""

import keras
import pytest

from keras_cnn.training import train as train_module


@pytest.fixture(autouse=True)
def without_drawings(monkeypatch):
    """`tests/tuning/test_search.py` and `tests/keras_cnn/test_masks.py` look at the drawings."""
    for name in ("tensorboard", "MaskPictures"):
        monkeypatch.setattr(train_module, name, lambda *arguments: keras.callbacks.Callback())
