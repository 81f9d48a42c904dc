"""Every architecture of the registry, narrowed, for the tests that hold for all of them."""

import pytest

from keras_cnn.models.registry import ARCHITECTURES
from keras_cnn.models.spec import ModelSpec

# published nets are wide: their heads are narrowed to keep the suite quick
SMALL = {name: {"dense": [32]} for name in ARCHITECTURES if name.startswith(("alexnet", "vgg1"))} | {
    "vgg": {"width": 4, "dense": [8]},
    "convnext": {"stages": 2, "depth": 1, "width": 4},
    "resnet": {"depth": 1, "width": 4},
    "mobilenet_v2": {"alpha": 0.1},
    "unet": {"depth": 2, "width": 4},
}
SHAPES = {"unet_paper": (188, 188, 3)}  # its smallest; 32x32x3 for all others
# one of each kind; the others differ from it in depth, width or groups, or have over 100 layers
QUICK = {"mlp", "lenet5", "alexnet", "vgg", "vgg16", "convnext", "resnet", "unet"}
# up to 350 million weights, in the code of convnext, resnet18 or vgg16; `test_convnext`, ... count them
HUGE = {f"convnext_{size}" for size in ("tiny", "small", "base", "large", "xlarge")} | {"resnet34", "vgg19"}


def marked(argument, names, **options):
    """Parametrizes `argument` with `names`; those of large nets are slow."""
    values = [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in names]
    return pytest.mark.parametrize(argument, values, **options)


every_architecture = marked("name", [name for name in ARCHITECTURES if name not in HUGE])


def spec_of(name: str, **changes) -> ModelSpec:
    statistics = {"mean": (120.0, 110.0, 100.0), "variance": (4000.0, 3900.0, 4100.0)}
    defaults = {"input_shape": SHAPES.get(name, (32, 32, 3)), "classes": 5, "options": SMALL.get(name, {})}
    return ModelSpec(name, **defaults | statistics | changes)
