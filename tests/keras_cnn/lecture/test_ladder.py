"""The replay of the lecture: judging claims, and a small ladder that is interrupted and continued."""

import json
from dataclasses import replace

import pytest

from keras_cnn import cli
from keras_cnn.errors import InputError
from keras_cnn.lecture import claims, ladder, page
from keras_cnn.lecture.claims import CONDITIONAL, FAILED, HELD, OPEN, accuracy, judge
from keras_cnn.lecture.ladder import LadderSettings, Result, run_settings
from keras_cnn.lecture.rungs import LOWER, RATE, RUNGS, Rung, vgg
from keras_cnn.lecture.texts import TEXTS

BEFORE = Rung("before", {}, "baseline")


def results(name: str, rate: float, *accuracies: float) -> list[Result]:
    return [
        Result(name, rate, seed, {"accuracy": [0.0, one]}, False, 1.0) for seed, one in enumerate(accuracies)
    ]


@pytest.mark.parametrize(
    ("usual", "lower", "outcome"),
    [
        ((0.10, 0.11), (0.10, 0.10), HELD),
        ((0.10, 0.11), (0.60, 0.62), CONDITIONAL),
        ((0.50, 0.51), (0.60, 0.62), FAILED),
    ],
)
def test_judge_stuck_claim_at_all_some_or_no_rates(usual, lower, outcome):
    rung = Rung("deep", {}, "stuck", rates=(LOWER,))
    found = results("deep", RATE, *usual) + results("deep", LOWER, *lower)
    assert judge(rung, found, majority=0.1)[0] == outcome


def test_judge_better_claim_needs_significant_difference():
    rung = Rung("after", {}, "better", "before")
    before = results("before", RATE, 0.30, 0.31, 0.32)
    assert judge(rung, before + results("after", RATE, 0.50, 0.51, 0.52), 0.1)[0] == HELD
    assert judge(rung, before + results("after", RATE, 0.10, 0.31, 0.60), 0.1)[0] == FAILED
    assert judge(BEFORE, before, 0.1) == (OPEN, {})


def test_accuracy_interval_equals_student_t():
    found = accuracy(results("a", RATE, 0.4, 0.5, 0.6), "a")
    assert (found.mean, found.runs) == (pytest.approx(0.5), 3)
    assert found.low == pytest.approx(0.5 - 4.303 * 0.1 / 3**0.5, abs=1e-3)
    assert accuracy([Result("a", RATE, 0, {}, True, 0.0)], "a").mean == 0  # diverged


def test_texts_cover_every_rung_in_both_languages():
    for words in TEXTS.values():
        assert words.keys() == TEXTS["en"].keys()
        assert set(words["rungs"]) == {rung.name for rung in RUNGS}
        assert set(words["outcomes"]) == {HELD, FAILED, CONDITIONAL, OPEN}
    assert TEXTS["vi"]["rungs"] != TEXTS["en"]["rungs"]


def test_rungs_have_valid_settings():
    for rung in RUNGS:
        run_settings(rung.changes, RATE, 0.25, 2).check_names()
        assert rung.than == "" or rung.than in {other.name for other in RUNGS}


@pytest.mark.parametrize("changes", [{"scale": 2}, {"images": 5}, {"seeds": 0}, {"language": "de"}])
def test_ladder_settings_out_of_range_raise(changes):
    with pytest.raises(InputError, match=next(iter(changes))):
        LadderSettings(**changes)


@pytest.mark.slow
def test_ladder_interrupted_continues(tmp_path, capsys, monkeypatch):
    rungs = [
        replace(rung, changes=rung.changes | {"options": vgg(1, 1)}, rates=rung.rates[:1])
        for rung in RUNGS
        if rung.name in ("sigmoid", "relu")
    ]
    for module in (ladder, claims, page):
        monkeypatch.setattr(module, "RUNGS", rungs)
    directory = tmp_path / "ladder"
    options = [
        "--images",
        "300",
        "--seeds",
        "1",
        "--epochs",
        "2",
        "--scale",
        "0.0625",
        "--directory",
        str(directory),
    ]
    assert cli.main(["ladder", *options, "--matrix", "false"]) == 0
    html = (directory / "ladder.html").read_text()
    assert html.count("<svg") == 2 * len(rungs) and "Diagnosis before training" in html
    runs = sorted((directory / "runs").iterdir())
    assert len(runs) == sum(1 + len(rung.rates) for rung in rungs)
    runs[0].unlink()
    kept = {path: path.stat().st_mtime_ns for path in runs[1:]}
    capsys.readouterr()
    assert cli.main(["ladder", *options, "--matrix", "false", "--language", "vi"]) == 0
    assert capsys.readouterr().out.count("training accuracy") == 1  # only the missing run is trained
    assert {path: path.stat().st_mtime_ns for path in runs[1:]} == kept
    assert "Bài giảng" in (directory / "ladder.html").read_text()
    assert cli.main(["ladder", *options, "--matrix", "false", "--seeds", "2"]) == 2
    assert "was started with seeds 1" in capsys.readouterr().err
    assert json.loads((directory / "ladder.json").read_text())["images"] == 300
