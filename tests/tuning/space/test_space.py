"""Whatever the space proposes can be trained; what the user gave stays as given."""

import json

import keras_tuner as kt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cnn.data.dataset import DataFacts
from keras_cnn.models.build import build_model
from keras_cnn.models.registry import ARCHITECTURES
from keras_cnn.models.unallocated import unallocated
from keras_cnn.training.config import TrainSettings
from tuning.space.searched import SEARCHED
from tuning.space.space import OPTIONS, overlay, suggest


def facts(side: int = 32, flip_invariant: bool = True, architecture: str = "vgg") -> DataFacts:
    task, ones = ARCHITECTURES[architecture].task, (1.0,) * 3
    counts = {"train": [50, 50]}
    return DataFacts(
        "x", (side, side, 3), ("a", "b"), counts, ones, ones, flip_invariant=flip_invariant, task=task
    )


def draw(architecture: str, seed: int, facts: DataFacts, fixed_hyperparameters: dict) -> dict:
    """A random point, drawn as KerasTuner draws it: one hyperparameter after the other, only active ones."""
    space = kt.HyperParameters()
    suggest(space, [architecture], facts, fixed_hyperparameters)
    hp = kt.HyperParameters()
    for index, parameter in enumerate(space.space):
        hp.merge([parameter])
        if hp.is_active(parameter):
            hp.values[parameter.name] = parameter.random_sample(seed + index)
    return suggest(hp, [architecture], facts, fixed_hyperparameters)


SMALLEST = {"lenet5": 12, "mobilenet_v2": 16}
every_space = pytest.mark.parametrize("architecture", [*OPTIONS, "lenet5"])


@every_space
@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 10**6), side=st.sampled_from([2, 4, 8, 28, 33]))
def test_every_point_builds_a_model(architecture, seed, side):
    data = facts(side, architecture=architecture)
    values = draw(architecture, seed, data, {})
    run = TrainSettings.from_dict(overlay(TrainSettings(architecture=architecture).to_dict(), values))
    run.check_names()
    if side >= SMALLEST.get(architecture, 1) and (side % 2 == 0 or architecture != "unet"):
        with unallocated():
            build_model(run.resolved(data).model_spec(data))
    assert json.loads(json.dumps(values)) == values


@every_space
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_rate_and_decay_suit_the_optimizer(architecture, seed):
    values = draw(architecture, seed, facts(architecture=architecture), {})
    low, high = {"sgd": (1e-2, 3e-1), "adamw": (3e-4, 1e-2), "muon": (3e-3, 6e-2)}[values["optimizer"]]
    assert low <= values["learning_rate"] <= high
    assert (values["weight_decay"] <= 1e-3) == (values["optimizer"] == "sgd")


@every_space
def test_everything_searched_is_in_the_space(architecture):
    meaningless = set() if architecture == "unet" else {"loss"}
    if architecture in ("convnext", "resnet", "mobilenet_v2"):
        meaningless = {"loss", "batch_norm"}
    found = suggest(kt.HyperParameters(), [architecture], facts(architecture=architecture), {})
    assert set(SEARCHED) - meaningless == set(SEARCHED) & set(found)


def test_given_settings_are_not_searched():
    given_ = {"optimizer": "sgd", "batch_norm": False, "options.blocks": 3, "learning_rate": 0.1}
    space = kt.HyperParameters()
    values = suggest(space, ["vgg"], facts(), given_)
    assert not given_.keys() & values.keys()
    assert not {p.name for p in space.space} & {
        "learning_rate_sgd",
        "weight_decay_adamw",
        "optimizer",
        "batch_norm",
    }
    assert 1e-5 <= values["weight_decay"] <= 1e-3  # of the given optimizer


def test_digits_are_not_mirrored():
    for flip_invariant, augmentation in ((True, "flip+crop"), (False, "crop")):
        space = kt.HyperParameters()
        suggest(space, ["vgg"], facts(flip_invariant=flip_invariant), {})
        (choice,) = [p for p in space.space if p.name == "augmentation"]
        assert set(choice.values) == {augmentation, "none"}


def test_space_of_a_model_of_the_users_own_has_no_settings_of_layers():
    values = suggest(kt.HyperParameters(), ["my_nets:small"], facts(), {})
    assert set(values) == {"augmentation", "batch_size", "optimizer", "learning_rate", "weight_decay"}


def test_batch_norm_is_searched_where_one_of_several_architectures_may_lack_it():
    alone = suggest(kt.HyperParameters(), ["resnet", "convnext"], facts(), {})
    together = suggest(kt.HyperParameters(), ["resnet", "vgg"], facts(), {})
    assert "batch_norm" not in alone and "batch_norm" in together


def test_published_nets_have_no_options_of_their_own():
    values = suggest(kt.HyperParameters(), ["vgg16"], facts(), {})
    assert not [name for name in values if name.startswith("options.")]


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_space_of_several_architectures_chooses_one_with_its_options(seed):
    names = ["vgg", "convnext", "lenet5", "mlp"]
    space = kt.HyperParameters()
    suggest(space, names, facts(), {})
    hp = kt.HyperParameters()
    for index, parameter in enumerate(space.space):
        hp.merge([parameter])
        if hp.is_active(parameter):
            hp.values[parameter.name] = parameter.random_sample(seed + index)
    values = suggest(hp, names, facts(), {})
    assert values["architecture"] == hp.values["architecture"]
    run = TrainSettings.from_dict(overlay(TrainSettings().to_dict(), values))
    run.check_names()  # an option of another architecture would be refused here
    others = {name for name in names if name != values["architecture"]}
    assert not [name for name in hp.values if name.partition(".")[0] in others]


def test_gpus_get_wider_nets():
    widest = {}
    for use_gpu_widths in (False, True):
        space = kt.HyperParameters()
        suggest(space, ["vgg"], facts(), {}, use_gpu_widths=use_gpu_widths)
        widest[use_gpu_widths] = max(next(p for p in space.space if p.name == "options.width").values)
    assert widest[True] > widest[False]


def test_overlay_leaves_the_original_alone():
    base = {"options": {"width": 8}, "seed": 1}
    assert overlay(base, {"options.blocks": 2, "seed": 3}) == {
        "options": {"width": 8, "blocks": 2},
        "seed": 3,
    }
    assert base == {"options": {"width": 8}, "seed": 1}
