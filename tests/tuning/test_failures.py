"""What a search does when trials fail: a mistake in the code ends it, a bad point does not."""

import pytest

from keras_cnn.errors import InputError
from keras_cnn.files import write_json
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import METRICS
from tests.tuning.conftest import Instantly
from tests.tuning_studies import digits_facts, rows
from tuning import cli
from tuning.config import StudyConfig, read_study
from tuning.executors.base import ENDED, EPOCH, Event
from tuning.oracles.make import make_oracle
from tuning.reporting.progress import Progress
from tuning.reporting.report import write_report
from tuning.search_loop import SearchFailed, run_search
from tuning.search_settings import SearchSettings
from tuning.storage.trials import best


class Scripted(Instantly):
    """Trials end as the script tells: None completes, a dict is metrics of a failure, a death has no seconds."""

    def __init__(self, script, slots: int = 1):
        super().__init__(slots)
        self.script, self.started, self.timeouts, self._dead = list(script), [], [], []

    def start(self, trial_id, directory, timeout):
        self.started.append(trial_id)
        self.timeouts.append(timeout)
        outcome = self.script.pop(0) if self.script else None
        if outcome is None:
            super().start(trial_id, directory, timeout)
        elif "seconds" in outcome:
            self._waiting.append(trial_id)
            write_json(directory / METRICS, outcome)
        else:
            self._dead.append(Event(trial_id, ENDED, outcome))

    def wait(self, seconds):
        dead, self._dead = self._dead, []
        return [*dead, *super().wait(seconds)]


def failure(message: str, state: str = "FAILED") -> dict:
    return {"state": state, "message": message, "seconds": 1.0, "ended": 1.0}


DEATH = {"state": "FAILED", "message": "the worker process ended with signal 9"}


@pytest.fixture
def search(tmp_path):
    """A function: searches with an executor; returns what was said."""

    def run(executor, **limits) -> list[str]:
        facts = digits_facts()
        settings = SearchSettings(**{"tuner": "random", "trials": 6, **limits})
        base = TrainSettings(epochs=9).resolved(facts)
        study = StudyConfig(tmp_path / "study", settings, base, {}, facts)
        study.write()
        told: list[str] = []
        run_search(study, executor, Progress(told.append, objective=study.objective))
        return told

    return run


def reported(tmp_path) -> list[dict]:
    """Write the report; the rows of its trials.csv, best first."""
    write_report(read_study(tmp_path / "study"))
    return list(rows(tmp_path).values())


def states(tmp_path) -> list[str]:
    return [trial.status for trial in make_oracle(read_study(tmp_path / "study")).trials.values()]


def test_the_same_exception_in_the_first_trials_is_a_mistake_in_the_code(search, tmp_path):
    executor = Scripted([failure("NameError: x")] * 9)
    with pytest.raises(SearchFailed, match="the first 2 trials failed with the same message: NameError: x"):
        search(executor)
    assert states(tmp_path) == ["FAILED", "FAILED"]


def test_three_failures_in_a_row_end_it_and_fewer_do_not(search, tmp_path):
    executor = Scripted([failure("a"), failure("b"), None, failure("c"), failure("c")])
    assert search(executor)[-1] == "the search has ended: all 6 trials are done"
    executor = Scripted([failure("d"), failure("e"), failure("f"), None])
    with pytest.raises(SearchFailed, match="3 trials failed in a row, the last with: f"):
        search(executor, trials=20)


def test_points_that_diverge_or_need_too_much_memory_are_no_mistake(search, tmp_path):
    bad = [failure("nan", "DIVERGED")] * 4 + [failure("OOM", "OUT_OF_MEMORY")]
    told = search(Scripted(bad))
    assert told[0] == "trial 0000: DIVERGED: nan"
    assert states(tmp_path) == ["FAILED"] * 5 + ["COMPLETED"]


def test_a_trial_whose_worker_dies_has_three_attempts(search, tmp_path):
    executor = Scripted([DEATH, DEATH, None, DEATH, DEATH, DEATH])
    told = search(executor, trials=2)
    assert executor.started == ["0000"] * 3 + ["0001"] * 3
    assert (
        told.count("trial 0000: the worker process ended with signal 9; it continues in another worker") == 2
    )
    assert told[-2] == "trial 0001: FAILED: the worker process ended with signal 9"
    assert states(tmp_path) == ["COMPLETED", "FAILED"]
    found = reported(tmp_path)
    assert [row["state"] for row in found] == ["COMPLETED", "FAILED"]
    assert "signal 9" in found[1]["message"] and "signal 9" in (tmp_path / "study/report.md").read_text()


def test_an_epoch_gives_the_attempts_back(search, tmp_path):
    executor = Scripted([DEATH, DEATH, None])
    wait = executor.wait

    def with_an_epoch(seconds):
        events = wait(seconds)
        epoch = {"epoch": 1, "seconds": 1.0, "val_accuracy": 0.5}
        return [Event(events[0].trial_id, EPOCH, epoch), *events] if events else events

    executor.wait = with_an_epoch
    executor.script = [DEATH] * 7 + [None]
    search(executor, trials=1)
    assert executor.started == ["0000"] * 8 and states(tmp_path) == ["COMPLETED"]


def test_trial_that_took_too_long_is_not_tried_again(search, tmp_path):
    executor = Scripted([{"state": "TIMED_OUT", "message": "it took longer than 8 s"}])
    assert (
        search(executor, trials=2, trial_timeout="8s")[0] == "trial 0000: TIMED_OUT: it took longer than 8 s"
    )
    assert executor.started == ["0000", "0001"] and executor.timeouts == [8, 8]


def test_search_of_which_no_trial_completed_has_a_report_and_no_best(search, tmp_path, capsys):
    search(Scripted([{"state": "TIMED_OUT", "message": "it took longer than 8 s"}] * 2), trials=2)
    with pytest.raises(InputError, match=r"no trial of .*study has completed; 2 were started"):
        best(read_study(tmp_path / "study"))
    assert cli.main(["report", str(tmp_path / "study")]) == 0
    assert capsys.readouterr().out.count("TIMED_OUT") == 2
    assert [row["state"] for row in rows(tmp_path).values()] == ["TIMED_OUT"] * 2


class Told(Instantly):
    """Each trial trains two epochs, of these values, and ends."""

    def __init__(self, *values: float):
        super().__init__()
        self.values = list(values)

    def start(self, trial_id, directory, timeout):
        super().start(trial_id, directory, timeout)
        self.value = self.values.pop(0)

    def wait(self, seconds):
        events = super().wait(seconds)
        epochs = [{"epoch": n, "seconds": 1.0, "val_accuracy": self.value} for n in (1, 2)]
        return [Event(events[0].trial_id, EPOCH, epoch) for epoch in epochs] + events if events else events


def test_search_with_a_pruner_stops_bad_trials_and_reports_why(search, tmp_path):
    executor = Told(0.5, 0.6, 0.7, 0.1, 0.8)
    told = search(executor, trials=5, pruner="median")
    assert executor.stopped == ["0003"]  # once, though it was bad in its second epoch too
    assert [line.split(":")[0] for line in told if "ended early: below the median" in line] == ["trial 0003"]
    pruned = [row["pruned"] for row in reported(tmp_path) if row["trial"] == "0003"]
    assert pruned[0].startswith("below the median 0.6000 after epoch 1")
    assert states(tmp_path) == ["COMPLETED"] * 5


def test_search_fills_all_slots_and_takes_ends_in_any_order(search, tmp_path):
    executor = Scripted([], slots=4)
    told = search(executor, trials=6)
    assert [line.split(":")[0] for line in told[:4]] == [
        "trial 0003",
        "trial 0002",
        "trial 0001",
        "trial 0000",
    ]
    assert states(tmp_path) == ["COMPLETED"] * 6
