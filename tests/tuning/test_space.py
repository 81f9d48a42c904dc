"""Whatever the space proposes can be trained; what the user gave stays as given."""

import json

import keras_tuner as kt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cnn.data.facts import DataFacts
from keras_cnn.errors import InputError
from keras_cnn.models.build import build_model
from keras_cnn.training.settings import TrainSettings
from tuning.searched import SEARCHED
from tuning.space import SPACES, overlay, point


def facts(side: int = 32, mirror: bool = True) -> DataFacts:
    return DataFacts(
        "x", (side, side, 3), ("a", "b"), {"train": [50, 50]}, (1.0,) * 3, (1.0,) * 3, mirror=mirror
    )


def draw(architecture: str, seed: int, facts: DataFacts, given: dict) -> dict:
    """A random point, drawn as KerasTuner draws it: one hyperparameter after the other, only active ones."""
    space = kt.HyperParameters()
    point(space, architecture, facts, given)
    hp = kt.HyperParameters()
    for index, parameter in enumerate(space.space):
        hp.merge([parameter])
        if hp.is_active(parameter):
            hp.values[parameter.name] = parameter.random_sample(seed + index)
    return point(hp, architecture, facts, given)


every_space = pytest.mark.parametrize("architecture", SPACES)


@every_space
@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10**6), side=st.sampled_from([2, 4, 8, 28, 33]))
def test_every_point_builds_a_model(architecture, seed, side):
    values = draw(architecture, seed, facts(side), {})
    run = TrainSettings.from_dict(overlay(TrainSettings(architecture=architecture).to_dict(), values))
    run.check_names()
    build_model(run.model_spec(facts(side)))
    assert json.loads(json.dumps(values)) == values


@every_space
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_rate_and_decay_suit_the_optimizer(architecture, seed):
    values = draw(architecture, seed, facts(), {})
    low, high = {"sgd": (1e-2, 3e-1), "adamw": (3e-4, 1e-2)}[values["optimizer"]]
    assert low <= values["learning_rate"] <= high
    assert (values["weight_decay"] <= 1e-3) == (values["optimizer"] == "sgd")


@every_space
def test_everything_searched_is_in_the_space(architecture):
    assert set(SEARCHED) <= set(point(kt.HyperParameters(), architecture, facts(), {}))


def test_given_settings_are_not_searched():
    given_ = {"optimizer": "sgd", "batch_norm": False, "options.blocks": 3, "learning_rate": 0.1}
    space = kt.HyperParameters()
    values = point(space, "vgg", facts(), given_)
    assert not given_.keys() & values.keys()
    assert not {p.name for p in space.space} & {
        "learning_rate_sgd",
        "weight_decay_adamw",
        "optimizer",
        "batch_norm",
    }
    assert 1e-5 <= values["weight_decay"] <= 1e-3  # of the given optimizer


def test_digits_are_not_mirrored():
    for mirror, augmentation in ((True, "flip+crop"), (False, "crop")):
        space = kt.HyperParameters()
        point(space, "vgg", facts(mirror=mirror), {})
        (choice,) = [p for p in space.space if p.name == "augmentation"]
        assert set(choice.values) == {augmentation, "none"}


def test_an_architecture_without_space():
    with pytest.raises(InputError, match="no search space"):
        point(kt.HyperParameters(), "vgg16", facts(), {})


def test_gpus_get_wider_nets():
    widest = {}
    for wide in (False, True):
        space = kt.HyperParameters()
        point(space, "vgg", facts(), {}, wide=wide)
        widest[wide] = max(next(p for p in space.space if p.name == "options.width").values)
    assert widest[True] > widest[False]


def test_overlay_leaves_the_original_alone():
    base = {"options": {"width": 8}, "seed": 1}
    assert overlay(base, {"options.blocks": 2, "seed": 3}) == {
        "options": {"width": 8, "blocks": 2},
        "seed": 3,
    }
    assert base == {"options": {"width": 8}, "seed": 1}
