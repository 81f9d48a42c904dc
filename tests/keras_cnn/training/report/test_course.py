"""A run by epoch: its best epoch, learning rate, time and memory."""

import json

import pytest

from keras_cnn.training.report.course import course_figures, recorded_epochs
from tests.report_pages import check_figure

HISTORY = {
    "loss": [3.0, 2.0, 1.0],
    "accuracy": [0.5, 0.7, 0.9],
    "val_loss": [2.0, 1.0, 1.5],
    "val_accuracy": [0.4, 0.8, 0.6],
}
METRICS = {"objective": "val_accuracy", "history": HISTORY, "best_epoch": 2}
COSTS = [
    {"epoch": n, "seconds": s, "learning_rate": 0.1 / n, "memory": 10**9, "gpu_memory": None}
    for n, s in ((1, 9.0), (2, 1.0), (3, 2.0))
]


def test_course_has_losses_scores_rate_time_and_memory():
    figures = course_figures(METRICS, COSTS)
    assert [figure.title for figure in figures] == ["Loss", "Accuracy", "Learning rate", "Time", "Memory"]
    for figure in figures:
        content = json.loads(figure.json)
        check_figure(content)
        assert content["layout"]["xaxis"]["dtick"] == 1 and content["layout"]["xaxis"]["tickformat"] == ",d"


def test_curve_marks_the_best_epoch_and_says_how_the_last_differs():
    loss, accuracy, *_ = course_figures(METRICS, COSTS)
    training, validation, best = accuracy.data
    assert (training["x"], training["y"]) == ([1, 2, 3], HISTORY["accuracy"])
    assert validation["y"] == HISTORY["val_accuracy"] and (best["x"], best["y"]) == ([2], [0.8])
    assert accuracy.message == (
        "val_accuracy is 0.8000 in the best epoch, 2 of 3, and 0.6000 in the last one, which is worse."
    )
    assert loss.message.endswith("and 1.5000 in the last one, which is worse.")


def test_curve_whose_best_epoch_is_the_last_suggests_longer_training():
    figures = course_figures({**METRICS, "best_epoch": 3}, COSTS)
    assert figures[1].message.endswith("3 of 3, which is the last: longer training may be better.")


def test_time_is_summed_and_the_first_epoch_told_apart():
    time = course_figures(METRICS, COSTS)[3]
    assert time.message.startswith(
        "12.0 s in all; the first epoch, which builds the graph, took 9.0 s, the others 1.50"
    )
    assert time.lines == [("1", "9.00"), ("2", "1.00"), ("3", "2.00")]


def test_course_of_an_older_run_without_costs_or_validation_has_its_losses():
    history = {"loss": [3.0, 2.0]}
    (figure,) = course_figures({"objective": "loss", "history": history, "best_epoch": 2}, [])
    assert [trace["name"] for trace in figure.data] == ["training", "best epoch (2)"]


def test_memory_of_a_gpu_is_shown_where_there_is_one():
    costs = [{**cost, "gpu_memory": 3 * 10**9} for cost in COSTS]
    assert course_figures(METRICS, costs)[4].message.startswith("Memory of the GPU, at most so far: 3.00 GB")


FIVE = [
    {"epoch": epoch, "seconds": 1.0, "learning_rate": 0.1, "memory": 10**9, "gpu_memory": None}
    for epoch in range(1, 6)
]


@pytest.mark.parametrize("costs", [[], FIVE])
def test_curves_of_a_trial_that_continues_another_have_its_own_epochs(costs):
    history = {"loss": [0.9, 0.7], "val_loss": [0.8, 0.6]}
    metrics = {"history": history, "best_epoch": 5, "objective": "val_loss"}
    assert list(recorded_epochs(metrics, costs)) == [4, 5]
    curve = course_figures(metrics, costs)[0]
    assert "0.6000 in the best epoch, 5 of 5" in curve.message
    assert [row[0] for row in curve.lines] == ["4", "5"]


def test_curves_of_a_run_without_history_are_left_out():
    assert course_figures({"best_epoch": 1, "score": 0.5}, []) == []
