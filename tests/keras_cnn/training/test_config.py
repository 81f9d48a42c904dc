"""Settings are plain data that say what is wrong with them."""

import json
from dataclasses import replace

import pytest

import keras_cnn.training.precision as precision_module
from keras_cnn.errors import InputError
from keras_cnn.training.class_weights import class_weights
from keras_cnn.training.config import TrainSettings


def test_they_survive_json():
    settings = TrainSettings(
        data="cifar10", image_size=(24, 20), options={"dense": [64]}, dropout=0.5, seed=7
    )
    assert TrainSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "adamm"}, r"unknown optimizer 'adamm'. Did you mean 'adam'\?"),
        ({"normalization": "zscore"}, "zero_mean"),
        ({"precision": "bfloat16"}, "mixed_bfloat16"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"epochs": 0}, "epochs=0 must be at least 1"),
        ({"batch_size": -1}, "batch_size=-1"),
        ({"learning_rate": 0.0}, "learning_rate=0.0"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"dropout": 1.0}, r"outside \[0, 1\)"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 2**32}, "seed=4294967296 must be at most"),
        ({"epochs": 10**23}, "must be at most"),
        ({"patience": 0}, "patience=0"),
        ({"label_smoothing": 1.0}, "label_smoothing=1.0"),
        ({"global_clipnorm": -1.0}, "global_clipnorm=-1.0"),
        ({"ema_momentum": 1.0}, r"ema_momentum=1.0 is outside \(0, 1\)"),
        ({"class_weight": "balance"}, "must be none, balanced, or numbers"),
        ({"class_weight": "1,-2"}, "numbers above 0"),
        ({"class_weight": "1,inf"}, "numbers above 0"),
    ],
)
def test_values_out_of_range(change, message):
    with pytest.raises(InputError, match=message):
        TrainSettings(**change)


@pytest.mark.parametrize(
    ("gpus", "flags", "precision"),
    [
        ([(8, 0), (9, 0)], set(), "mixed_bfloat16"),
        ([(9, 0), (7, 5)], set(), "mixed_float16"),
        ([(6, 1)], {"avx512_bf16"}, "float32"),
        ([], {"avx2", "avx512_bf16"}, "mixed_bfloat16"),
        ([], {"avx2"}, "float32"),
    ],
)
def test_auto_is_what_the_slowest_device_is_fast_at(data, monkeypatch, gpus, flags, precision):
    config = precision_module.tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(config.experimental, "get_device_details", lambda gpu: {"compute_capability": gpu})
    monkeypatch.setattr(precision_module, "_processor_flags", lambda: flags)
    assert TrainSettings(precision="auto").resolved(data.facts).precision == precision
    assert TrainSettings(precision="float32").resolved(data.facts).precision == "float32"


@pytest.mark.parametrize("flip_invariant", [True, False])
def test_images_are_mirrored_where_that_keeps_their_class(data, flip_invariant):
    facts = replace(data.facts, flip_invariant=flip_invariant)
    assert TrainSettings().resolved(facts).augmentation == ("flip" if flip_invariant else "none")
    assert TrainSettings(augmentation="crop").resolved(facts).augmentation == "crop"


def test_unknown_settings_are_errors():
    with pytest.raises(InputError, match=r"unknown setting 'epoch'\. Did you mean 'epochs'"):
        TrainSettings.from_dict({"epoch": 3})


def test_names_are_checked_before_anything_runs():
    TrainSettings().check_names()
    for change in (
        {"activation": "rleu"},
        {"architecture": "vgg12"},
        {"augmentation": "spin"},
        {"options": {"x": 1}},
    ):
        with pytest.raises(InputError, match="unknown"):
            TrainSettings(**change).check_names()


def test_class_weights_are_read_and_checked(data):
    counts = dict(data.facts.counts, train=[30, 10])
    facts = replace(data.facts, counts=counts)
    assert class_weights("none", facts) is None
    assert class_weights("balanced", facts) == pytest.approx((2 / 3, 2))
    assert class_weights("1,2.5", facts) == (1, 2.5)
    with pytest.raises(InputError, match="3 numbers for the 2 classes of halves: left, right"):
        class_weights("1,2,3", facts)
