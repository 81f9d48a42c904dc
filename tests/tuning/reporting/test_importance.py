"""Which hyperparameters matter, and how sure that is; and the axes that they make."""

import math

import keras_tuner as kt
import numpy as np
import pytest

from tests.report_studies import made_study
from tuning.oracles.base import declare_space
from tuning.reporting.axes import search_axes
from tuning.reporting.importance import importance
from tuning.space.sampling import draw


@pytest.fixture
def space():
    space = kt.HyperParameters()
    space.Choice("optimizer", ["sgd", "adam"])
    for optimizer in ("sgd", "adam"):
        with space.conditional_scope("optimizer", [optimizer]):
            space.Float(f"rate_{optimizer}", 0.01, 1.0, sampling="log")
    space.Int("blocks", 1, 5)
    space.Choice("size", [64, 8, 16])
    space.Boolean("useless")
    space.Fixed("fixed", 3)
    return space


def test_importance_of_noisy_scores_ranks_by_what_decides_them(space):
    configurations = [draw(space, str(number)) for number in range(60)]
    noise = np.random.default_rng(0).normal(0, 0.1, len(configurations))
    scores = np.array([values["blocks"] / 5 for values in configurations]) + noise
    found = importance(space, configurations, scores.tolist())
    assert next(iter(found)) == "blocks" and found["blocks"].value > 0.5
    assert found["blocks"].low > 0.3 and found["useless"].value < 0.05 and "fixed" not in found
    assert list(found.values()) == sorted(found.values(), key=lambda one: -one.value)
    for one in found.values():
        assert 0 <= one.low <= one.value <= one.high


def test_importance_joins_the_rates_of_which_a_trial_has_one(space):
    configurations = [draw(space, str(number)) for number in range(60)]
    scores = [math.log(values[f"rate_{values['optimizer']}"]) for values in configurations]
    found = importance(space, configurations, scores)
    assert next(iter(found)) == "rate" and found["rate"].value > 0.5 and "rate_sgd" not in found


def test_importance_of_random_scores_has_intervals_that_reach_zero(space):
    configurations = [draw(space, str(number)) for number in range(30)]
    found = importance(space, configurations, np.random.default_rng(1).normal(size=30).tolist())
    assert sum(one.low > 0 for one in found.values()) <= 1


def test_importance_needs_four_trials_of_different_scores(space):
    configurations = [draw(space, str(number)) for number in range(4)]
    assert importance(space, configurations[:3], [1, 2, 3]) == {}
    assert importance(space, configurations, [0.5] * 4) == {}
    assert set(importance(space, configurations, [1, 2, 3, 4])) == {
        "optimizer",
        "rate",
        "blocks",
        "size",
        "useless",
    }


def test_axes_put_the_rates_of_all_optimizers_in_one(space):
    axes = search_axes(space)
    assert list(axes) == ["optimizer", "rate", "blocks", "size", "useless"]
    rate = axes["rate"]
    assert rate.is_log and rate.position({"optimizer": "adam", "rate_adam": 0.1}) == pytest.approx(0.5)
    assert math.isnan(rate.position({"blocks": 1})) and rate.value({}) is None


def test_axis_ticks_are_choices_in_order_or_ends_and_middle_of_a_range(space):
    axes = search_axes(space)
    assert axes["size"].ticks() == (pytest.approx([1 / 6, 3 / 6, 5 / 6]), ["8", "16", "64"])
    assert axes["blocks"].ticks() == ([0, 0.5, 1], ["1", "3", "5"])
    assert axes["rate"].ticks() == (pytest.approx([0, 0.5, 1]), ["0.01", "0.1", "1"])
    assert math.isnan(axes["size"].at(128))


def test_space_of_a_study_with_conditions_can_be_read_twice(tmp_path):
    study = made_study(tmp_path / "study", 1)
    assert [hp.name for hp in declare_space(study).space] == [hp.name for hp in declare_space(study).space]
