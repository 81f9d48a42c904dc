"""Every option of an architecture allows its default, and refuses what is outside of what `describe` lists."""

import pytest

from keras_cnn.errors import InputError
from keras_cnn.models.options import ALLOWED
from keras_cnn.models.registry import ARCHITECTURES, check_options, describe_options

REFUSED = [
    ("vgg", "blocks", 0),
    ("vgg", "blocks", "three"),
    ("vgg", "blocks", True),
    ("vgg", "width", 2.5),
    ("vgg", "growth", 0.0),
    ("vgg", "growth", float("nan")),
    ("vgg", "growth", float("inf")),
    ("vgg", "dense", [16, 0]),
    ("vgg16", "dense", 16),
    ("convnext", "depth", 0),
    ("convnext", "stages", -1),
    ("convnext", "patch_size", 0),
    ("convnext_tiny", "drop_path_rate", 1.0),
    ("mobilenet_v2", "alpha", 0),
    ("unet", "convolutions", 0),
    ("unet", "upsampling", "bilinear"),
    ("unet", "upsampling", ["resize"]),
]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_defaults_of_every_architecture_are_allowed(name):
    check_options(name, {key: found["default"] for key, found in describe_options(name).items()})


@pytest.mark.parametrize(("name", "option", "value"), REFUSED)
def test_value_outside_the_allowed_is_refused_with_what_is_allowed(name, option, value):
    with pytest.raises(InputError) as error:
        check_options(name, {option: value})
    assert f"option {option}={value!r} of {name} must be {ALLOWED[option].text}" in str(error.value)


def test_every_kind_of_value_is_refused_somewhere():
    assert {option for _, option, _ in REFUSED} == set(ALLOWED)
