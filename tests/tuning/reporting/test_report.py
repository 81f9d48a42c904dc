"""report.html: the right numbers, in figures and words, from files that nobody trained for."""

import re
import time

import pytest

from keras_cnn.records import write_record
from tests.report_pages import check_figure, check_page
from tests.report_studies import EPOCHS, HOSTILE, made_study, write_trial
from tuning.config import read_study
from tuning.reporting.html import page
from tuning.reporting.report import write_report
from tuning.storage.trials import trials

WITH_SCORES = [
    "over-trials",
    "over-time",
    "curves",
    "parallel",
    "importance",
    "contour",
    "slice-1",
    "slice-2",
]


def text_of(directory) -> str:
    study = read_study(directory)
    return page(study, trials(study))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return made_study(tmp_path_factory.mktemp("report") / "study", 30)


@pytest.fixture(scope="module")
def reader(study):
    return check_page(page(study, trials(study)))


def test_page_has_every_figure_and_plotly_knows_their_settings(reader):
    assert list(reader.figures) == [*WITH_SCORES, "endings", "timeline"]
    for figure in reader.figures.values():
        check_figure(figure)


def test_page_begins_with_the_winner_its_interval_and_what_is_next(study, reader):
    best = max(trials(study), key=lambda row: row["score"])
    top = reader.words[: reader.words.index("Scores Learning curves")]
    assert f"best val_accuracy {best['score']:.4f} 95 % interval " in top
    assert f"trial {best['trial']} best epoch 4 parameters {best['parameters']:,}" in top
    assert "test split not measured" in top and " Next: " in top


def test_scores_over_trials_rise_with_the_best_so_far(study, reader):
    line, points, star = reader.figures["over-trials"]["data"]
    by_trial = {row["trial"]: row["score"] for row in trials(study)}
    scores = [by_trial[f"{number:04d}"] for number in range(30)]
    assert line["y"] == pytest.approx([max(scores[: n + 1]) for n in range(30)], abs=1e-4)
    assert dict(zip(points["customdata"], points["y"], strict=True)) == pytest.approx(by_trial, abs=1e-4)
    assert star["y"] == pytest.approx([max(scores)], abs=1e-4)
    assert points["marker"]["colorscale"][-1] == [1.0, "#a5d72e"]  # the highest is the best


def test_ticks_of_trials_and_epochs_are_whole_numbers(reader):
    for name in ("over-trials", "curves", "endings"):
        axis = reader.figures[name]["layout"]["xaxis"]
        assert (axis["tickformat"], axis["dtick"] % 1, axis["tick0"]) == (",d", 0, 0)


def test_scores_over_time_are_minutes_in_which_two_ran_at_once(reader):
    points = reader.figures["over-time"]["data"][1]
    ends = dict(zip(points["customdata"], points["x"], strict=True))
    assert ends["0000"] == ends["0001"] == 1 and ends["0029"] == 15
    assert "30 trials, at most 2 at once, in 15.0 minutes; 100% of the places were busy" in reader.words


def test_learning_curves_color_the_ten_best_and_number_epochs_from_one(study, reader):
    traces = reader.figures["curves"]["data"]
    assert len(traces) == 11 and traces[0]["x"].count(None) == 20
    best = traces[-1]
    assert best["x"] == list(range(1, EPOCHS + 1)) and set(best["customdata"]) == {trials(study)[0]["trial"]}
    assert best["line"]["color"] == "#d55e00" and "The 10 best are colored, 20 others gray." in reader.words


def test_parallel_coordinates_join_rates_and_end_at_the_score(reader):
    figure = reader.figures["parallel"]
    names = [re.sub("<.*?>", "", name) for name in figure["layout"]["xaxis"]["ticktext"]]
    assert names == ["optimizer", "learning_rate", "units", "deep", "val_accuracy"]
    assert sum(len(trace["x"]) for trace in figure["data"]) == 30 * 6
    assert figure["data"][-1]["y"][-2] == 1  # the best one, on top of the others


def test_what_decides_the_score_is_most_important_and_shown_alone_and_together(reader):
    names = reader.figures["importance"]["data"][0]["y"][::-1]
    assert names[0] == "learning_rate"
    assert reader.figures["slice-1"]["layout"]["xaxis"]["title"]["text"] == "learning_rate"
    assert reader.figures["slice-1"]["layout"]["xaxis"]["type"] == "log"
    assert "learning_rate matters most" in reader.words


def test_every_figure_has_its_message_for_screen_readers_and_its_numbers_as_a_table(reader):
    for message in ("Score over trials: The best val_accuracy", "Learning curves: The best trial"):
        assert any(label.startswith(message) for label in reader.labels)
    assert reader.words.count("Numbers of this figure") == len(reader.figures)


def test_hostile_name_of_a_hyperparameter_is_shown_as_it_is(tmp_path):
    study = made_study(tmp_path / "study", 8, name=HOSTILE)
    text = text_of(study.directory)
    reader = check_page(text)
    assert "<img" not in text and HOSTILE in reader.words
    labels = reader.figures["parallel"]["layout"]["xaxis"]["ticktext"]
    assert any(label.startswith("…") and "<" not in label for label in labels)
    for name, figure in reader.figures.items():
        for trace in figure["data"]:
            assert "<img" not in str(trace) and "{x}" not in str(trace.get("hovertemplate", "")).replace(
                "%{x}", ""
            ), name


def test_page_of_a_lowest_score_that_is_best_turns_the_colors(tmp_path):
    study = made_study(tmp_path / "study", 6, objective="val_loss")
    reader = check_page(text_of(study.directory))
    line, points, star = reader.figures["over-trials"]["data"]
    assert points["marker"]["colorscale"][0] == [0.0, "#a5d72e"]
    assert star["y"] == [min(points["y"])] and line["y"] == sorted(line["y"], reverse=True)


def test_failures_are_counted_by_reason_and_shown_escaped(tmp_path):
    study = made_study(tmp_path / "study", 3)
    for number, epoch in ((3, 2), (4, 7)):
        write_trial(
            study, number, {}, {"state": "DIVERGED", "message": f"the loss became nan in epoch {epoch}"}
        )
    write_trial(
        study, 5, {}, {"state": "FAILED", "message": "ValueError: <script>\nmore", "traceback": "line <7>"}
    )
    text = text_of(study.directory)
    reader = check_page(text)
    bars = next(bar for bar in reader.figures["endings"]["data"] if bar["name"] == "no score")
    assert bars["x"] == [2, 1] and bars["y"] == [
        "DIVERGED: the loss became nan…",
        "FAILED: ValueError: &lt;script&gt;",
    ]
    assert (
        "<summary>trial 0005, FAILED: ValueError: &lt;script&gt;</summary><pre>line &lt;7&gt;</pre>" in text
    )
    assert "3 of 6 trials have a score" in reader.words
    assert (
        "Next: 3 of 6 trials have no score, 2 of them DIVERGED: the loss became nan in epoch 2"
        in reader.words
    )
    assert "## Causes" in write_report(study).read_text()


def test_page_of_few_trials_says_from_how_many_importance_is_measured(tmp_path):
    reader = check_page(text_of(made_study(tmp_path / "study", 3).directory))
    assert "importance" not in reader.figures and "from 4 completed trials" in reader.words
    reader = check_page(text_of(made_study(tmp_path / "more", 4).directory))
    assert "importance" in reader.figures


def test_page_without_a_completed_trial_says_so(tmp_path):
    study = made_study(tmp_path / "study", 1)
    (study.trial_directory("0000") / "metrics.json").unlink()
    reader = check_page(text_of(study.directory))
    assert "No trial has completed." in reader.words and list(reader.figures) == ["endings"]
    assert (
        f"1 trials were interrupted or are damaged: continue with tuning.Study('{study.directory}'"
        in reader.words
    )


def test_page_of_an_older_study_without_times_leaves_them_out(tmp_path):
    study = made_study(tmp_path / "study", 2)
    for trial in ("0000", "0001"):
        path = study.trial_directory(trial) / "metrics.json"
        write_record(
            path,
            {
                "state": "COMPLETED",
                "score": 0.5,
                "loss": 1.0,
                "best_epoch": 1,
                "seconds": 1.0,
                "parameters": 1,
            },
        )
    reader = check_page(text_of(study.directory))
    assert not {"over-time", "curves", "contour", "timeline"} & set(reader.figures)
    assert "over-trials" in reader.figures


def test_front_of_two_objectives_is_joined_and_of_three_is_not(tmp_path):
    study = made_study(tmp_path / "study", 10, further=("parameters",))
    reader = check_page(text_of(study.directory))
    front, *_ = reader.figures["front-1"]["data"]
    marked = {row["trial"] for row in trials(study) if row["pareto"]}
    assert front["mode"] == "lines+markers" and len(front["x"]) == len(marked) > 1
    assert (
        front["x"] == sorted(front["x"]) and "Pareto front Of the trials that completed, none" in reader.words
    )
    check_figure(reader.figures["front-1"])


@pytest.mark.slow
def test_report_of_a_thousand_trials_is_written_in_seconds_and_stays_small(tmp_path):
    study = made_study(tmp_path / "study", 1000)
    started = time.perf_counter()
    path = write_report(study).with_name("report.html")
    assert time.perf_counter() - started < 60  # 7 s on two idle cores
    assert path.stat().st_size < 8e6  # 4.8 MB of it is Plotly
    reader = check_page(path.read_text(encoding="utf-8"))
    assert reader.words.count("COMPLETED") == 1000
    assert len(reader.figures["curves"]["data"]) == 11
    assert "The 10 best are colored, 198 others gray (of 990)." in reader.words
    assert "Shown are 186 of 1000 trials." in reader.words


@pytest.mark.slow
def test_report_of_a_search_that_ran_is_whole(whole):
    study = whole / "study"
    reader = check_page((study / "report.html").read_text(encoding="utf-8"))
    assert {"over-trials", "over-time", "curves", "parallel", "timeline"} <= set(reader.figures)
    assert "test accuracy" in reader.words and "Next: " in reader.words
    for row in trials(read_study(study)):
        assert f"{row['trial']} COMPLETED {row['score']:.4f}" in reader.words
