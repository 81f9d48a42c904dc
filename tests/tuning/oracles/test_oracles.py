"""The oracles, driven without training: they resume where they stood, never repeat a point, and do not look at who ends
first."""

import itertools
import json
import random
from dataclasses import replace

import keras_tuner as kt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_tuner.oracles import HyperbandOracle

from tests.tuning.oracle_runs import begin, directory_of, end, run, score_of, study_in
from tests.tuning_studies import ALL_BUT_TWO
from tuning.oracles.make import make_oracle
from tuning.oracles.plan import hyperband_plan
from tuning.search_settings import TUNERS
from tuning.space.sampling import combinations, draw, draw_spread, is_active
from tuning.space.trial_spec import trial_spec


@pytest.mark.parametrize(
    "tuner", [pytest.param(name, marks=[pytest.mark.slow] * (name == "bayesian")) for name in TUNERS]
)
def test_oracle_interrupted_anywhere_proposes_the_same(tuner, tmp_path):
    whole = run(make_oracle(study_in(tmp_path / "whole", tuner, trials=12)))
    assert len(whole) >= 8
    for stop in (0, 1, 5, 9):
        study = study_in(tmp_path / f"stopped-{stop}", tuner, trials=12)
        n_started = run(make_oracle(study), most=stop)
        if stop == len(whole):
            continue
        interrupted = begin(make_oracle(study))  # a kill in mid-trial: never ended
        rest = run(make_oracle(study))
        assert rest[0] == interrupted.hyperparameters.values
        assert n_started + rest == whole


@pytest.mark.slow
@pytest.mark.parametrize("tuner", ["auto", "random", "grid", "hyperband"])
def test_oracle_chooses_points_and_seeds_whoever_ends_first(tuner, tmp_path):
    def trained(name, slots, shuffle):
        study = study_in(tmp_path / name, tuner, trials=None if tuner == "auto" else 15, epochs=9)
        oracle = make_oracle(study)
        run(oracle, slots=slots, shuffle=shuffle)
        specs = [trial_spec(study, oracle, trial) for trial in oracle.trials.values()]
        return sorted(
            (json.dumps(spec.settings.to_dict(), sort_keys=True), spec.stop_epoch) for spec in specs
        )

    alone = trained("alone", 1, None)
    assert len({settings for settings, _ in alone}) > 8
    for order in range(5):
        assert trained(f"order-{order}", 2 + order, random.Random(order)) == alone


def test_hyperband_waits_for_a_whole_round_in_the_next_bracket(tmp_path):
    oracle = make_oracle(study_in(tmp_path, "hyperband", epochs=9))
    n_started = [begin(oracle) for _ in range(oracle._get_size(2, 0))]
    for trial in n_started[:-1]:
        end(oracle, trial)
    assert oracle.place(begin(oracle)) == (1, 0)
    end(oracle, n_started[-1])
    risen = begin(oracle)
    assert oracle.place(risen) == (2, 1)
    best = max(n_started, key=lambda trial: score_of(trial.hyperparameters.values))
    assert score_of(risen.hyperparameters.values) == score_of(best.hyperparameters.values)


def test_a_trial_waits_for_the_one_that_it_continues(tmp_path):
    """Both run again if both were damaged."""
    study = study_in(tmp_path, "hyperband", epochs=9)
    oracle = make_oracle(study)
    run(oracle)
    (child,) = [trial for trial in oracle.trials.values() if oracle.place(trial) == (2, 2)]
    parent = oracle.trials[child.hyperparameters.values["tuner/trial_id"]]
    for trial in (child, parent):
        (directory_of(oracle, trial) / "metrics.json").unlink()
    again = make_oracle(study)
    first = begin(again)
    assert first.trial_id == parent.trial_id
    assert begin(again).status == "IDLE"
    end(again, first)
    assert begin(again).trial_id == child.trial_id


def test_hyperband_runs_its_plan(tmp_path):
    """Li et al. 2018, table 1, for max_epochs 9 and factor 3; KerasTuner's brackets begin with 9, 5 and 3 nets."""
    oracle = make_oracle(study_in(tmp_path, "hyperband", epochs=9))
    run(oracle)
    resources = [oracle.place(trial) for trial in oracle.trials.values()]
    assert {place: resources.count(place) for place in resources} == {
        (2, 0): 9, (2, 1): 3, (2, 2): 1, (1, 0): 5, (1, 1): 2, (0, 0): 3,
    }  # fmt: skip
    plan = hyperband_plan(9)
    assert len(resources) == sum(rung.size for rung in plan)
    epochs = sum(rung.size * (rung.epochs - rung.initial_epoch) for rung in plan)
    assert epochs == 9 * 1 + 3 * 2 + 1 * 6 + 5 * 3 + 2 * 6 + 3 * 9


def test_hyperband_judges_no_trial_before_its_least_epochs(tmp_path):
    study = study_in(tmp_path, "hyperband", epochs=9)
    oracle = make_oracle(replace(study, search=replace(study.search, min_epochs=2)))
    run(oracle)
    epochs = [trial.hyperparameters.values["tuner/epochs"] for trial in oracle.trials.values()]
    assert sorted(set(epochs)) == [3, 9] and len(epochs) == sum(rung.size for rung in hyperband_plan(9, 2))


@pytest.mark.parametrize("tuner", TUNERS)
def test_no_point_is_tried_twice_and_small_spaces_are_enumerated(tuner, tmp_path):
    """Of the six points of a space all are tried; stock Bayesian search repeats some and misses others."""
    configurations = run(
        make_oracle(study_in(tmp_path, tuner, trials=50, fixed_hyperparameters=ALL_BUT_TWO, epochs=9))
    )
    fresh = [
        json.dumps({k: v for k, v in values.items() if not k.startswith("tuner/")})
        for values in configurations
        if "tuner/trial_id" not in values
    ]
    assert len(fresh) == len(set(fresh)) == 6


@pytest.mark.slow
def test_bayesian_search_finds_better_points_than_chance(tmp_path):
    def best(tuner, seed):
        configurations = run(make_oracle(study_in(tmp_path / f"{tuner}-{seed}", tuner, seed=seed, trials=18)))
        return max(map(score_of, configurations))

    assert sum(best("bayesian", seed) for seed in range(4)) > sum(best("random", seed) for seed in range(4))


@pytest.mark.slow
def test_sampler_avoids_diverged_configurations(tmp_path):
    """Where sgd always fails, a sampler that skips failures would go back there for want of anything known."""
    oracle = make_oracle(study_in(tmp_path, "bayesian", trials=30))
    optimizers = []
    while (trial := begin(oracle)).status == "RUNNING":
        optimizers.append(trial.hyperparameters.values["optimizer"])
        end(oracle, trial, failed=optimizers[-1] == "sgd")
    assert optimizers[:10].count("sgd") >= 2
    assert optimizers[10:].count("sgd") <= 2


@pytest.mark.parametrize("tuner", TUNERS)
def test_a_trial_that_runs_is_not_proposed_to_another_worker(tuner, tmp_path):
    oracle = make_oracle(study_in(tmp_path, tuner, trials=12))
    run(oracle, most=7)
    pair = [begin(oracle).hyperparameters.values for _ in range(2)]
    assert pair[0] != pair[1]


@pytest.mark.parametrize("tuner", ["random", "hyperband", "bayesian"])
def test_seed_zero_is_a_seed(tuner, tmp_path):
    first, again, other = (
        run(make_oracle(study_in(tmp_path / name, tuner, seed)), most=3)
        for name, seed in (("first", 0), ("again", 0), ("other", 1))
    )
    assert first == again != other


def test_oracle_with_a_higher_limit_continues(tmp_path):
    study = study_in(tmp_path, "random", trials=3)
    assert len(run(make_oracle(study))) == 3
    more = replace(study, search=replace(study.search, trials=5))
    assert len(run(make_oracle(more))) == 2


def some_space() -> kt.HyperParameters:
    space = kt.HyperParameters()
    space.Choice("kind", ["a", "b", "c"], default="b")
    with space.conditional_scope("kind", ["a"]):
        space.Int("depth", 1, 4)
    with space.conditional_scope("kind", ["b", "c"]):
        space.Boolean("deep")
    space.Fixed("fixed", 7)
    return space


def test_every_combination_comes_once_beginning_with_the_defaults():
    configurations = [json.dumps(values) for values in combinations(some_space())]
    assert len(configurations) == len(set(configurations)) == 4 + 2 + 2
    assert json.loads(configurations[0]) == {"kind": "b", "deep": False, "fixed": 7}


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=20))
def test_a_drawn_point_holds_what_is_active_and_follows_from_its_key(key):
    space = some_space()
    values = draw(space, key)
    assert values == draw(space, key)
    assert set(values) == {hp.name for hp in space.space if is_active(hp, values)}
    assert values in list(combinations(space))


def test_spread_points_hit_every_third_of_each_range_and_follow_from_the_seed():
    space = kt.HyperParameters()
    space.Float("rate", 1e-4, 1e-1, sampling="log")
    space.Float("dropout", 0.0, 0.9)
    points = [draw_spread(space, 3, number) for number in range(9)]
    for name, limits in (("rate", (1e-3, 1e-2)), ("dropout", (0.3, 0.6))):
        thirds = [sum(point[name] > limit for limit in limits) for point in points]
        assert set(thirds) == {0, 1, 2}
    assert points == [draw_spread(space, 3, number) for number in range(9)]
    assert draw_spread(space, 4, 0) != points[0]


def test_draws_cover_the_space():
    drawn = {json.dumps(draw(some_space(), str(number))) for number in range(300)}
    assert drawn == {json.dumps(values) for values in itertools.islice(combinations(some_space()), 100)}


@pytest.mark.parametrize("min_epochs", [1, 2, 3, 5])
@pytest.mark.parametrize("epochs", [5, 8, 9, 20, 81, 100])
def test_hyperband_plan_has_the_sizes_of_keras_tuner(epochs, min_epochs):
    stock = HyperbandOracle(max_epochs=epochs, factor=3)
    stock.min_epochs = min_epochs
    expected = [
        (bracket, number, stock._get_size(bracket, number), stock._get_epochs(bracket, number))
        for bracket in range(stock._get_num_brackets())
        for number in range(bracket + 1)
    ]
    plan = hyperband_plan(epochs, min_epochs)
    assert min(rung.epochs for rung in plan) >= min_epochs
    assert [(rung.bracket, rung.number, rung.size, rung.epochs) for rung in plan] == expected
