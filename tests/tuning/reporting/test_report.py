"""report.html and what it draws."""

import re
from html.parser import HTMLParser

import keras_tuner as kt
import numpy as np
import pytest

import tuning.reporting.importance as importance_module
from keras_cnn.files import write_json
from tuning.config import read_study
from tuning.reporting.html import page
from tuning.reporting.importance import columns, importance, position
from tuning.reporting.report import write_report
from tuning.space.sampling import draw
from tuning.storage.trials import trials


class Wellformed(HTMLParser):
    """Collects what is open and whatever a browser would fetch."""

    def __init__(self):
        super().__init__()
        self.open, self.fetched = [], []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "path", "use"):
            self.open.append(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href")]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def text_of(study_directory) -> str:
    study = read_study(study_directory)
    return page(study, trials(study))


@pytest.mark.slow
def test_page_is_one_file_that_fetches_nothing_and_shows_everything(whole):
    study = whole / "study"
    text = (study / "report.html").read_text()
    reader = Wellformed()
    reader.feed(text)
    assert reader.open == []
    assert not [target for target in reader.fetched if not target.startswith("#")]
    for heading in (
        "Score over trials",
        "Score over time",
        "Learning curves",
        "Configurations",
        "Importance",
        "Trials",
    ):
        assert f"<h2>{heading}" in text
    assert text.count("<svg") == 4  # too few trials to tell the importance
    for row in trials(read_study(study)):
        assert f"<td>{row['trial']}</td><td>COMPLETED</td>" in text


@pytest.mark.slow
def test_page_of_failed_trials_shows_escaped_causes(searched, tmp_path, monkeypatch):
    monkeypatch.setattr(importance_module, "TREES", 20)  # what is important is tested below
    monkeypatch.setattr(importance_module, "SHUFFLES", 2)
    searched(trials=10)
    metrics = tmp_path / "study/trials/0003/metrics.json"
    failure = {
        "state": "FAILED",
        "message": "ValueError: <script>\nmore",
        "traceback": "line 7",
        "seconds": 1.0,
    }
    write_json(metrics, failure | {"ended": 1.0})
    trial = tmp_path / "study/keras_tuner/trial_0003/trial.json"
    trial.write_text(trial.read_text().replace('"COMPLETED"', '"FAILED"'))
    text = text_of(tmp_path / "study")
    assert "<summary>trial 0003, FAILED: ValueError: &lt;script&gt;</summary><pre>line 7</pre>" in text
    assert "<script" not in text
    assert text.count("<svg") == 5
    assert "## Causes" in write_report(read_study(tmp_path / "study")).read_text()


def test_page_without_a_completed_trial_says_so(searched, tmp_path):
    searched(trials=1, target=0.01)
    (tmp_path / "study/trials/0000/metrics.json").unlink()
    text = text_of(tmp_path / "study")
    assert "No trial has completed." in text and "INTERRUPTED" in text


@pytest.fixture
def space():
    space = kt.HyperParameters()
    space.Choice("optimizer", ["sgd", "adam"])
    for optimizer in ("sgd", "adam"):
        with space.conditional_scope("optimizer", [optimizer]):
            space.Float(f"rate_{optimizer}", 0.01, 1.0, sampling="log")
    space.Int("blocks", 1, 5)
    space.Boolean("useless")
    space.Fixed("fixed", 3)
    return space


def test_importance_of_noisy_scores_ranks_by_what_decides_them(space):
    configurations = [draw(space, str(number)) for number in range(60)]
    noise = np.random.default_rng(0).normal(0, 0.1, len(configurations))
    scores = np.array([values["blocks"] / 5 for values in configurations]) + noise
    found = importance(space, configurations, scores.tolist())
    assert next(iter(found)) == "blocks" and found["blocks"] > 0.5
    assert found["useless"] < 0.05 and "fixed" not in found
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_importance_of_too_few_or_equal_scores_is_empty(space):
    configurations = [draw(space, str(number)) for number in range(60)]
    assert importance(space, configurations[:7], list(range(7))) == {}
    assert importance(space, configurations, [0.5] * 60) == {}


def test_columns_put_the_rates_of_all_optimizers_in_one(space):
    found = columns(space)
    assert list(found) == ["optimizer", "rate", "blocks", "useless"]
    assert position(found["rate"], {"optimizer": "adam", "rate_adam": 0.1}) == pytest.approx(0.5)
    assert re.match("nan", str(position(found["rate"], {"blocks": 1})))
