"""Several objectives of a search: their names, their values, and the Pareto front that they make."""

import csv
from dataclasses import replace

import keras_tuner as kt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cnn.errors import InputError
from keras_cnn.training.config import TrainSettings
from tests.tuning.conftest import Instantly
from tests.tuning_studies import digits_facts
from tuning.config import StudyConfig, read_study
from tuning.objectives import (
    Objective,
    check_objectives,
    non_dominated,
    parse_objective,
    split_objectives,
    value_of,
)
from tuning.oracles.make import make_oracle
from tuning.reporting.progress import Progress
from tuning.reporting.report import write_report
from tuning.search_loop import run_search
from tuning.search_settings import SearchSettings
from tuning.storage.retention import CheckpointRetention
from tuning.storage.trials import trials
from tuning.study import Study


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (None, (None, ())),
        ("val_loss", ("val_loss", ())),
        (["val_accuracy"], ("val_accuracy", ())),
        (["val_accuracy", "parameters"], ("val_accuracy", ("parameters",))),
        (("val_loss:min", "val_fpr:min"), ("val_loss", ("val_fpr:min",))),
        ([kt.Objective("val_accuracy", "max"), kt.Objective("val_fpr", "min")], ("val_accuracy", ("val_fpr:min",))),
    ],
)  # fmt: skip
def test_split_objectives_gives_the_one_that_ranks_and_the_others(objective, expected):
    assert split_objectives(objective) == expected


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ([], "must be a name, or several"),
        (3, "must be a name, or several"),
        (["val_accuracy", 3], "objective 3 is a int; allowed: str"),
        (["parameters", "val_accuracy"], "parameters cannot rank trials"),
        (["val_accuracy", "parameters", "parameters:min"], "has a name twice"),
        (["val_accuracy", "val_fpr:low"], "unknown direction of val_fpr 'low'"),
        (["val_fpr:min"], "objective val_fpr:min: of the first one, .* the highest value is the best"),
    ],
)
def test_split_objectives_of_wrong_ones_raises_one_line(objective, message):
    with pytest.raises(InputError, match=message) as caught:
        split_objectives(objective)
    assert "\n" not in str(caught.value)


def test_parse_objective_knows_directions():
    assert parse_objective("val_accuracy") == Objective("val_accuracy", 1)
    assert [parse_objective(name).sign for name in ("val_loss", "parameters", "latency_ms", "seconds")] == [
        -1
    ] * 4
    assert parse_objective("val_fpr:min") == Objective("val_fpr", -1)


def test_check_objectives_knows_metrics_and_costs():
    check_objectives(["macs", "val_auc:max"], ["val_loss", "val_auc"])
    with pytest.raises(InputError, match=r"unknown objective 'val_acc'\. Did you mean 'val_auc'"):
        check_objectives(["val_acc"], ["val_loss", "val_auc"])


def test_value_of_a_metric_is_that_of_the_best_epoch():
    history = {"val_accuracy": [0.7, 0.9, 0.9], "val_loss": [0.4, 0.3, 0.2], "val_auc": [0.1, 0.2, 0.3]}
    metrics = {"history": history, "objective": "val_accuracy", "score": 0.9, "loss": 0.2}
    metrics |= {"parameters": 7, "seconds": 1.0, "trained_seconds": 5.0}
    assert value_of("val_auc", metrics) == 0.3
    assert (value_of("parameters", metrics), value_of("seconds", metrics)) == (7, 5.0)
    assert value_of("val_fpr", metrics) is None


POINTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), max_size=12)


@given(POINTS)
def test_every_point_is_on_the_front_or_dominated_by_one_that_is(points):
    signs = (1, -1, 1)
    front = non_dominated(points, signs)

    def dominates(a, b):
        pairs = [(sign * x, sign * y) for sign, x, y in zip(signs, a, b, strict=True)]
        return all(x >= y for x, y in pairs) and any(x > y for x, y in pairs)

    best = [point for point, chosen in zip(points, front, strict=True) if chosen]
    assert not any(dominates(a, b) for a in best for b in best)
    for point, chosen in zip(points, front, strict=True):
        assert chosen or any(dominates(other, point) for other in best)


def test_incomplete_points_are_not_on_the_front_and_dominate_nothing():
    points = [(0.9, None), (0.8, 5), (float("nan"), 1), (0.7, 5)]
    assert non_dominated(points, (1, -1)) == [False, True, False, False]


PARAMETERS = [40, 50, 30, 60, 90]  # of trials whose scores rise: 0 and 1 lose to 2, which is smaller


class OfSizes(Instantly):
    def metrics(self, trial_id: str) -> dict:
        parameters = PARAMETERS[int(trial_id)]
        return {
            **super().metrics(trial_id),
            "parameters": parameters,
            "objectives": {"parameters": parameters},
        }


@pytest.fixture
def study(tmp_path) -> StudyConfig:
    facts = digits_facts()
    base = TrainSettings(epochs=2, objective="val_accuracy").resolved(facts)
    study = StudyConfig(
        tmp_path / "study",
        SearchSettings("random", trials=5),
        base,
        {},
        facts,
        further_objectives=("parameters",),
    )
    study.write()
    run_search(study, OfSizes(), Progress(lambda line: None))
    return read_study(study.directory)


def test_front_of_a_study_is_in_rows_report_and_api(study, monkeypatch):
    assert {row["trial"]: row["pareto"] for row in trials(study)} == {
        "0000": False, "0001": False, "0002": True, "0003": True, "0004": True,
    }  # fmt: skip
    front = Study(study.directory).pareto()
    assert list(front["trial"]) == ["0004", "0003", "0002"]
    assert list(front.columns[:3]) == ["trial", "val_accuracy", "parameters"]
    assert list(front["parameters"]) == [90, 60, 30] and front["val_accuracy"].is_monotonic_decreasing
    report = write_report(study)
    section = report.read_text().partition("## Pareto front")[2].partition("## Trials")[0]
    assert (
        section.count("| 000") == 3 and "The search chose its configurations by val_accuracy alone" in section
    )
    page = report.with_name("report.html").read_text()
    assert "<h2>Pareto front</h2>" in page and '<figure id="front-1">' in page
    written = {row["trial"]: row["pareto"] for row in csv.DictReader((study.directory / "trials.csv").open())}
    assert written == {row["trial"]: str(row["pareto"]) for row in trials(study)}


def test_study_with_one_objective_has_no_front(searched, tmp_path):
    searched(trials=2)
    with pytest.raises(InputError, match="has one objective, val_accuracy: a Pareto front takes several"):
        Study(tmp_path / "study").pareto()
    report = write_report(read_study(tmp_path / "study"))
    assert "Pareto" not in report.read_text() + report.with_name("report.html").read_text()
    assert "pareto" not in Study(tmp_path / "study").trials()
    assert "pareto" not in (tmp_path / "study/trials.csv").read_text()


def test_perfect_scores_end_no_search_whose_models_can_still_be_smaller(study):
    class Perfect(OfSizes):
        def metrics(self, trial_id: str) -> dict:
            return {**Instantly.metrics(self, trial_id), "score": 1.0}

    longer = replace(study, search=replace(study.search, trials=9))
    messages: list[str] = []
    run_search(longer, Perfect(), Progress(messages.append))
    assert messages[-1] == "the search has ended: all 9 trials are done"


def test_retention_deletes_the_weights_of_the_front_last(study):
    for trial in trials(study):
        (study.trial_directory(trial["trial"]) / "best.npz").write_bytes(b"x" * 100)
    bounded = replace(study, search=replace(study.search, disk="400"))
    CheckpointRetention(bounded, 1).enforce(make_oracle(bounded), "0004")
    kept = [path.parent.name for path in sorted(study.directory.glob("trials/*/best.npz"))]
    assert kept == ["0002", "0003", "0004"]
