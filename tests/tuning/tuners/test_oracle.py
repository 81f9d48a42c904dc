"""Oracles of KerasTuner projects: choices, and files that agree after a kill or damage."""

import itertools
import json

import keras_tuner as kt
import pytest

from keras_cnn.errors import InputError
from tests.damage import flip
from tuning.tuners.samplers import to_project_oracle

MAX = {"objective": kt.Objective("score", "max")}
KINDS = {
    "random": lambda **more: kt.oracles.RandomSearchOracle(**{"max_trials": 12, **MAX, **more}),
    "bayesian": lambda **more: kt.oracles.BayesianOptimizationOracle(**{"max_trials": 12, **MAX, **more}),
    "grid": lambda **more: kt.oracles.GridSearchOracle(**{"max_trials": 12, **MAX, **more}),
    "hyperband": lambda **more: kt.oracles.HyperbandOracle(**{"max_epochs": 9, **MAX, **more}),
}


def nine_configurations() -> kt.HyperParameters:
    space = kt.HyperParameters()
    space.Int("width", 1, 3)
    space.Choice("kernel", [1, 3, 5])
    return space


def wide_space() -> kt.HyperParameters:
    space = nine_configurations()
    space.Float("rate", 1e-4, 1e-1, sampling="log")
    return space


def make(kind: str, folder, space=wide_space, **more):
    oracle = to_project_oracle(KINDS[kind](hyperparameters=space(), seed=3, **more))
    oracle.verbose = 0
    oracle._set_project_dir(str(folder), "project")
    return oracle


def score_of(values: dict) -> float:
    return -abs(values["width"] - 2) - abs(values["kernel"] - 3) - values.get("rate", 0)


def step(oracle, fails=lambda trial: False) -> bool:
    """Run one trial; whether there was one."""
    trial = oracle.create_trial("tuner0")
    if trial.status != "RUNNING":
        return False
    trial.status = "FAILED" if fails(trial) else "COMPLETED"
    if trial.status == "COMPLETED":
        oracle.update_trial(trial.trial_id, {"score": score_of(trial.hyperparameters.values)})
    oracle.end_trial(trial)
    oracle.save()  # as `Tuner.on_trial_end` does
    return True


def run(oracle, **more) -> list[dict]:
    while step(oracle, **more):
        pass
    return [trial.hyperparameters.values for trial in oracle.trials.values()]


@pytest.mark.parametrize("kind", ["random", "bayesian", "grid"])
def test_small_space_is_searched_completely_without_repeats(kind, tmp_path):
    values = run(make(kind, tmp_path, nine_configurations, max_trials=20))
    tried = {(one["width"], one["kernel"]) for one in values}
    assert len(values) == 9 and tried == set(itertools.product([1, 2, 3], [1, 3, 5]))


def test_hyperband_in_a_space_smaller_than_its_plan_still_promotes(tmp_path):
    rounds = [values["tuner/round"] for values in run(make("hyperband", tmp_path, nine_configurations))]
    assert rounds.count(0) == 9 and rounds.count(1) == 3 and rounds.count(2) == 1


def test_hyperband_with_failed_trials_promotes_the_best_of_the_others(tmp_path):
    oracle = make("hyperband", tmp_path, max_consecutive_failed_trials=100)
    first = oracle._get_size(2, 0)
    run(oracle, fails=lambda trial: int(trial.trial_id) < first - 2 and not int(trial.trial_id) % 2)
    parents = [trial.hyperparameters.values.get("tuner/trial_id") for trial in oracle.trials.values()]
    assert sum(parent is not None for parent in parents) >= 3
    assert all(oracle.trials[parent].status == "COMPLETED" for parent in parents if parent)


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind == "bayesian")) for kind in KINDS]
)
@pytest.mark.parametrize("torn", ["", "oracle.json", "oracle.copy.json", "trial.json"])
def test_search_killed_after_every_trial_and_damaged_equals_an_uninterrupted_one(kind, torn, tmp_path):
    expected = run(make(kind, tmp_path / "whole"))
    oracle = make(kind, tmp_path / "killed")
    for number in itertools.count():
        if not step(oracle):
            break
        project = tmp_path / "killed/project"
        oracle.create_trial("tuner0")  # and killed while it runs
        if torn == "trial.json" and number == 2:
            damaged = next(project.glob("trial_*1/trial.json"))
            damaged.write_bytes(flip(damaged.read_bytes()))
        elif torn and torn != "trial.json":
            (project / torn).write_text("{")
        oracle = make(kind, tmp_path / "killed")
        oracle.reload()
    found = [trial.hyperparameters.values for trial in oracle.trials.values()]
    assert found == expected


def test_project_without_a_whole_oracle_file_is_refused_in_one_line(tmp_path):
    oracle = make("random", tmp_path)
    step(oracle)
    for name in ("oracle.json", "oracle.copy.json"):
        (tmp_path / "project" / name).write_text("[]")
    with pytest.raises(InputError, match=r"oracle.*json is damaged .* project_name"):
        make("random", tmp_path).reload()


@pytest.mark.parametrize("kind", KINDS)
def test_project_opens_in_stock_keras_tuner_and_the_other_way_round(kind, tmp_path):
    oracle = make(kind, tmp_path)
    for _ in range(4):
        step(oracle)
    stock = KINDS[kind](hyperparameters=wide_space(), seed=3)
    stock.verbose = 0
    stock._set_project_dir(str(tmp_path), "project")
    stock.reload()
    assert {name: stock.trials[name].score for name in oracle.trials} == {
        name: trial.score for name, trial in oracle.trials.items()
    }
    step(stock)
    (tmp_path / "project/oracle.copy.json").unlink()  # ours; stock leaves it as it was
    again = make(kind, tmp_path)
    again.reload()
    # a stock grid ends when it is continued
    assert len(again.trials) == (4 if kind == "grid" else 5) and step(again)


def test_infinite_score_is_no_result(tmp_path):
    oracle = make("random", tmp_path)
    trial = oracle.create_trial("tuner0")
    oracle.update_trial(trial.trial_id, {"score": float("inf")})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    assert oracle.trials[trial.trial_id].status == "FAILED"


def test_failures_in_a_row_end_the_search_after_they_are_recorded(tmp_path):
    oracle = make("random", tmp_path)
    with pytest.raises(RuntimeError, match="consecutive failures"):
        run(oracle, fails=lambda trial: True)
    with pytest.raises(RuntimeError, match="consecutive failures"):
        step(oracle, fails=lambda trial: True)
    assert step(oracle)
    state = json.loads((tmp_path / "project/oracle.json").read_text())
    assert len(state["end_order"]) == 5
    assert oracle.create_trial("tuner0").status == "RUNNING"  # the oracle is not locked


def test_diverged_trials_do_not_end_the_search(tmp_path):
    oracle = make("random", tmp_path)
    while (trial := oracle.create_trial("tuner0")).status == "RUNNING":
        trial.status, trial.message = "FAILED", "DIVERGED: the loss was not finite in epoch 1"
        oracle.end_trial(trial)
    assert len(oracle.trials) == 12
