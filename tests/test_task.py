"""Every task of the table has its losses, metrics and test measurement."""

import pytest

from keras_cnn.task import LOSSES, TASKS, score_of
from keras_cnn.training.compile import LOSS_FUNCTIONS, metrics_of
from keras_cnn.training.results import MEASURES


def test_tables_have_every_task():
    assert tuple(LOSS_FUNCTIONS) == LOSSES and set(MEASURES) == set(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_metrics_of_a_task_have_the_names_that_rank_its_models(name):
    task = TASKS[name]
    found = {key for metric in metrics_of(task, ("a", "b")) for key in _names(metric)}
    assert set(task.metrics) <= found and task.objective in task.objectives


def _names(metric) -> list[str]:
    result = metric.result()
    return list(result) if isinstance(result, dict) else [metric.name]


@pytest.mark.parametrize("name", TASKS)
def test_score_of_a_measurement_is_that_of_its_task(name):
    score = TASKS[name].score
    assert score_of({"accuracy": 0.5, score: 0.5, f"{score}_interval": [0, 1]}) == score
