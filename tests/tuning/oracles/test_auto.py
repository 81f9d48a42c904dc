"""The tuner `auto`, driven without training: what it trains, for how long, and that it keeps to its time."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tuning.oracle_runs import begin, end, run, score_of, study_in
from tuning.oracles.auto import EXTENSION
from tuning.oracles.candidates import default_configuration
from tuning.oracles.make import make_oracle
from tuning.oracles.plan import auto_rungs, planned_epochs
from tuning.oracles.time_plan import Cost, cost_of, extended_epochs, full_epochs
from tuning.space.trial_spec import trial_spec


def places(oracle) -> Counter:
    """(generation, rung, epochs) -> number of trials."""
    values = [trial.hyperparameters.values for trial in oracle.trials.values()]
    return Counter((one["tuner/bracket"], one["tuner/round"], one["tuner/epochs"]) for one in values)


def test_auto_trains_the_default_in_full_and_then_two_generations(tmp_path):
    study = study_in(tmp_path, "auto", trials=None, epochs=9)
    oracle = make_oracle(study)
    configurations = run(oracle)
    generations = {(g, r, epochs): n for g in (1, 2) for r, epochs, n in ((0, 1, 9), (1, 3, 3), (2, 9, 1))}
    assert places(oracle) == {(0, 0, 1): 1, (0, 1, 9): 1} | generations
    for values in configurations[:2]:
        assert default_configuration(oracle.hyperparameters).items() <= values.items()
    epochs = sum(values["tuner/epochs"] for values in configurations)
    assert planned_epochs(study) == epochs == 64


def test_auto_promotes_the_best_third_of_a_rung(tmp_path):
    oracle = make_oracle(study_in(tmp_path, "auto", trials=None, epochs=9))
    run(oracle)
    rungs = [
        [t for t in oracle.trials.values() if t.hyperparameters.values["tuner/bracket"] == 1
         and t.hyperparameters.values["tuner/round"] == number]
        for number in range(3)
    ]  # fmt: skip
    for lower, upper in itertools.pairwise(rungs):
        parents = {trial.hyperparameters.values["tuner/trial_id"] for trial in upper}
        scores = sorted((trial.score for trial in lower), reverse=True)
        assert sorted((oracle.trials[name].score for name in parents), reverse=True) == scores[: len(upper)]


def test_auto_begins_with_configurations_of_the_user(tmp_path):
    study = study_in(tmp_path, "auto", trials=4, epochs=9)
    known = list(run(make_oracle(study_in(tmp_path / "other", "random", trials=2))))
    oracle = make_oracle(replace(study, initial_configurations=tuple(known)))
    run(oracle)
    assert places(oracle) == {(0, 0, 1): 2, (0, 1, 9): 2}


def test_auto_trains_each_rung_from_new_weights_with_a_whole_schedule_and_one_seed(tmp_path):
    study = study_in(tmp_path, "auto", trials=None, epochs=9, seed=3)
    oracle = make_oracle(study)
    run(oracle)
    specs = [trial_spec(study, oracle, trial) for trial in oracle.trials.values()]
    assert {spec.settings.seed for spec in specs} == {3}
    assert all(spec.start_from is None and spec.settings.epochs == spec.stop_epoch for spec in specs)


def test_auto_continues_models_of_a_users_own_build(tmp_path):
    study = study_in(tmp_path, "auto", trials=None, epochs=9)
    space = make_oracle(study).hyperparameters.get_config()
    own = replace(study, directory=tmp_path / "own", space=space)
    oracle = make_oracle(own)
    run(oracle)
    assert places(oracle)[0, 0, 1] == 1 and (0, 1, 9) not in places(oracle), "nobody has tuned its default"
    for trial in oracle.trials.values():
        values, spec = trial.hyperparameters.values, trial_spec(own, oracle, trial)
        parent = values.get("tuner/trial_id")
        assert spec.settings.epochs == 9
        assert spec.start_from == (f"../{parent}" if parent else None)
        trained = oracle.trials[parent].hyperparameters.values["tuner/epochs"] if parent else 0
        assert values["tuner/initial_epoch"] == trained


def timed(directory, limit: float, cost, slots: int = 1) -> tuple:
    """A search whose trials take what `cost(values)` says: (oracle, seconds until the last has ended)."""
    study = study_in(directory, "auto", trials=None, epochs=8)
    study = replace(study, search=replace(study.search, time=f"{limit}s"), epochs_follow_time=True)
    oracle, now, running = make_oracle(study), 0.0, []
    oracle.slots, oracle.seconds_left = slots, lambda: limit - now
    while True:
        while len(running) < slots and now < limit and (trial := begin(oracle)).status == "RUNNING":
            seconds = cost(trial.hyperparameters.values)
            running.append(
                (now + seconds.seconds(trial.hyperparameters.values["tuner/epochs"]), trial, seconds)
            )
        if not running:
            return oracle, now
        running.sort(key=lambda one: one[0])
        now, trial, seconds = running.pop(0)
        epochs = trial.hyperparameters.values["tuner/epochs"]
        metrics = {
            "state": "COMPLETED",
            "epoch_seconds": [seconds.overhead + seconds.epoch] + [seconds.epoch] * (epochs - 1),
            "startup_seconds": seconds.overhead,
        }
        oracle.learn_cost(trial, metrics | {"seconds": seconds.seconds(epochs)})
        end(oracle, trial)


@pytest.mark.parametrize("slots", [1, 2])
def test_auto_with_a_limit_of_time_uses_it_and_keeps_it(slots, tmp_path):
    oracle, used = timed(tmp_path, 600, lambda values: Cost(4.0, 3.0), slots)
    assert 540 <= used <= 600
    full = oracle.trials["0001"].hyperparameters.values
    assert full["tuner/epochs"] == 30 and full["tuner/bracket"] == 0, (
        "150 s are a quarter, 30 epochs the most"
    )
    assert any(place[0] == 1 and place[1] == 2 for place in places(oracle)), (
        "a configuration was trained in full"
    )


def test_auto_ends_with_a_longer_training_of_the_best(tmp_path):
    oracle, used = timed(tmp_path, 600, lambda values: Cost(4.0, 3.0))
    last = [t for t in oracle.trials.values() if t.hyperparameters.values["tuner/bracket"] == EXTENSION]
    others = [t for t in oracle.trials.values() if t not in last]
    assert len(last) == 1 and used <= 600
    assert last[0].score == max(trial.score for trial in others)
    parent = oracle.trials[last[0].hyperparameters.values["tuner/trial_id"]]
    assert (
        last[0].hyperparameters.values["tuner/epochs"] >= 1.3 * parent.hyperparameters.values["tuner/epochs"]
    )


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(st.floats(30, 200), st.floats(3, 10), st.floats(0.1, 20), st.floats(1, 8), st.integers(1, 4))
def test_auto_never_begins_what_it_knows_not_to_fit(tmp_path_factory, limit, overhead, epoch, spread, slots):
    """Configurations differ in cost by up to `spread`: only what is trained for the first time may be late."""

    def cost(values):
        return Cost(overhead, epoch * spread ** min(1.0, score_of(values)))

    _oracle, used = timed(tmp_path_factory.mktemp("timed"), limit, cost, slots)
    dearest = spread * (overhead + 4 * epoch)
    assert used <= max(limit, 0) + dearest


def test_auto_in_no_time_for_a_second_training_keeps_the_first(tmp_path):
    oracle, _ = timed(tmp_path, 10, lambda values: Cost(4.0, 30.0))
    assert list(places(oracle).values()) == [1]


@pytest.mark.parametrize(
    ("epochs", "rungs"), [(9, [1, 3, 9]), (8, [1, 3, 8]), (2, [1, 2]), (1, [1]), (30, [4, 10, 30])]
)
def test_rungs_are_a_ninth_a_third_and_all(epochs, rungs):
    assert auto_rungs(epochs) == rungs
    assert auto_rungs(epochs, 3)[0] == max(rungs[0], 3)


def test_costs_are_of_the_fastest_epoch_and_what_is_beside_it():
    metrics = {"state": "COMPLETED", "seconds": 20.0, "epoch_seconds": [8.0, 3.0, 3.5]}
    assert cost_of(metrics, 3) == Cost(11.0, 3.0)
    short = {"state": "COMPLETED", "seconds": 20.0, "epoch_seconds": [8.0], "startup_seconds": 5.0}
    assert cost_of(short, 1) == Cost(17.0, 3.0)
    assert cost_of({"state": "COMPLETED", "seconds": 20.0}, 4) == Cost(0.0, 5.0)
    assert cost_of({**metrics, "state": "DIVERGED"}, 3) is None
    assert Cost(11.0, 3.0).epochs_within(20.5) == 3 and Cost(11.0, 3.0).epochs_within(5) == 0


def test_epochs_of_a_full_training_take_a_quarter_of_the_time():
    assert full_epochs(Cost(5.0, 2.0), 120) == 12
    assert full_epochs(Cost(5.0, 2.0), 1e6) == 30


def test_epochs_of_a_full_training_take_all_the_time_if_no_generation_fits_after_it():
    full = 5 + 8 * 2
    generation = 3 * (5 + 1 * 2) + (5 + 3 * 2) + full  # three configurations, of which one goes on
    assert full_epochs(Cost(5.0, 2.0), full + generation) == 8
    assert full_epochs(Cost(5.0, 2.0), full + generation - 1) == 30
    assert full_epochs(Cost(5.0, 2.0), 40) == 17
    assert full_epochs(Cost(5.0, 2.0), 4) == 1
    assert extended_epochs(Cost(5.0, 2.0), 10, 35) == 15
    assert extended_epochs(Cost(5.0, 2.0), 10, 29) is None, "12 epochs are not clearly more than 10"
    assert extended_epochs(Cost(5.0, 2.0), 10, 1000) == 40
