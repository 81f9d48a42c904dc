"""The end of a search of `auto` with a limit of time."""

import math
from dataclasses import replace

import pytest
from keras_tuner.engine.trial import Trial

from tests.tuning.oracle_runs import FACTS, study_in
from tuning.deadline import EXPORT_SECONDS, REPORT_SECONDS, Deadline
from tuning.oracles.make import make_oracle
from tuning.oracles.time_plan import Cost


class Clock:
    seconds = 0.0


@pytest.fixture
def search(tmp_path):
    """A function: (deadline, clock, oracle) of a search of 100 s, of which a trial has shown that epochs take 6 s."""

    def make(tuner="auto", exports=False):
        study = study_in(tmp_path, tuner, trials=None)
        facts = replace(FACTS, counts={**FACTS.counts, "test": [450, 450]})
        study = replace(study, search=replace(study.search, time="100s"), facts=facts)
        oracle, clock = make_oracle(study), Clock()
        if tuner == "auto":
            oracle._costs["0000"] = Cost(5.0, 6.0)
        return Deadline(study, clock, oracle, exports), clock, oracle

    return make


def add(oracle, name: str, status: str, parent: str | None = None) -> None:
    hyperparameters = oracle.hyperparameters.copy()
    hyperparameters.values = {"tuner/trial_id": parent} if parent else {}
    oracle.trials[name] = Trial(hyperparameters, name, status)


def test_deadline_tells_the_oracle_what_is_left_without_report_and_export(search):
    deadline, clock, oracle = search(exports=True)
    clock.seconds = 40.0
    tested = 6.0 * 0.5 / 3  # half as many test images as training images, forward alone
    assert deadline.seconds == 40 + EXPORT_SECONDS + tested + REPORT_SECONDS
    assert oracle.seconds_left() == pytest.approx((100 - deadline.seconds) / 1.1)


def test_deadline_stops_what_would_end_an_epoch_too_late_and_once(search):
    deadline, clock, _ = search()
    clock.seconds = 105 - REPORT_SECONDS - 6.0
    assert deadline.to_stop(["0001"]) == []
    clock.seconds += 0.1
    assert deadline.to_stop(["0001"]) == ["0001"]
    assert deadline.to_stop(["0001", "0002"]) == ["0002"]


def test_deadline_ends_without_result_only_what_nobody_has_measured(search):
    deadline, clock, oracle = search()
    clock.seconds = 90.0
    add(oracle, "0001", "RUNNING")
    assert deadline.trial_limit("0001") == math.inf, "it is the only one"
    add(oracle, "0000", "COMPLETED")
    assert deadline.trial_limit("0001") == pytest.approx(105 - 90 - REPORT_SECONDS)
    add(oracle, "0002", "RUNNING", parent="0000")
    assert deadline.trial_limit("0002") == math.inf


@pytest.mark.parametrize("tuner", ["random", "hyperband"])
def test_deadline_of_other_tuners_is_none(search, tuner):
    deadline, clock, oracle = search(tuner)
    clock.seconds = 1e6
    add(oracle, "0000", "COMPLETED")
    assert deadline.to_stop(["0000"]) == [] and deadline.trial_limit("0000") == math.inf
    assert deadline.seconds == 1e6
