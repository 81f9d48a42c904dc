"""Studies with limits of the size of their models, and with an objective of which the lowest is the best."""

from collections import Counter
from dataclasses import replace

import pytest

from keras_cnn.training.config import TrainSettings
from tests.tuning.conftest import Instantly
from tests.tuning_studies import digits_facts
from tuning.config import StudyConfig
from tuning.oracles.plan import hyperband_plan
from tuning.reporting.progress import Progress
from tuning.search_loop import run_search
from tuning.search_settings import SearchSettings
from tuning.storage.trials import trials as trials_of


class TooLarge(Instantly):
    """An executor of which the first models, or all, are too large."""

    def __init__(self, n_too_large: int):
        super().__init__()
        self._left = n_too_large

    def metrics(self, trial_id: str) -> dict:
        self._left -= 1
        if self._left < 0:
            return super().metrics(trial_id)
        state = {"state": "TOO_LARGE", "message": "9 parameters are more than max_parameters=5"}
        return {**state, "seconds": 1.0, "ended": 1.0}


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband"])
def test_models_that_are_too_large_count_neither_as_trials_nor_as_failures(tuner, tmp_path):
    facts = digits_facts()
    base = TrainSettings(epochs=3).resolved(facts)
    trials = None if tuner == "hyperband" else 4
    study = StudyConfig(tmp_path, SearchSettings(tuner, trials=trials, max_parameters=5), base, {}, facts)
    study.write()
    for executor in (TooLarge(6), TooLarge(0)):  # the second continues a search that has ended
        run_search(study, executor, Progress(lambda line: None))
    states = Counter(row["state"] for row in trials_of(study))
    planned = sum(rung.size for rung in hyperband_plan(3)) if trials is None else trials
    assert states == {"TOO_LARGE": 6, "COMPLETED": planned}


def test_search_of_a_space_of_too_large_models_ends(tmp_path):
    facts = digits_facts()
    base = TrainSettings(epochs=3).resolved(facts)
    study = StudyConfig(tmp_path, SearchSettings("random", max_parameters=5), base, {}, facts)
    study.write()
    messages: list[str] = []
    run_search(study, TooLarge(1000), Progress(messages.append))
    assert "the last 30 models exceeded --max_parameters, --max_macs or --max_latency_ms" in messages[-1]


def test_study_whose_objective_is_a_loss_ranks_the_lowest_first(tmp_path):
    facts = digits_facts()
    base = TrainSettings(epochs=3, objective="val_loss").resolved(facts)
    study = StudyConfig(tmp_path, SearchSettings("bayesian", trials=8), base, {}, facts)
    study.write()
    messages: list[str] = []
    for search in (study.search, SearchSettings("bayesian", trials=9, target=0.15)):
        study = replace(study, search=search)
        run_search(study, Instantly(slots=2), Progress(messages.append, objective="val_loss"))
    scores = [row["score"] for row in trials_of(study)]
    assert scores == sorted(scores) and scores[0] == pytest.approx(0.1) and len(scores) == 8
    assert "val_loss 0.1000 has reached the target of 0.15" in messages[-1] and "best: 0.1000" in messages[-3]
